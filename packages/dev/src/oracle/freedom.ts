import type { Tensor } from '@tapegrad/core';
import * as tg from '@tapegrad/core';

/**
 * What PyTorch's documentation leaves open in a result. Both results, PyTorch's and ours, are brought into a form that
 * does not depend on it before they are compared, by functions that can be differentiated.
 */
export interface Freedom {
  /** What of a result is determined. */
  determined?(outputs: readonly Tensor[]): readonly Tensor[];
  /** Whether the input counts as symmetric, so that there is a derivative in symmetric directions only. */
  readonly symmetric?: true;
  /** Positions of outputs whose columns may change sign, all of them together. */
  readonly signs?: readonly number[];
  /** Positions of leaves whose gradient PyTorch 1.13 left partly unwritten, so that its record says nothing. */
  readonly unwrittenGradients?: readonly number[];
}

/** Memory that was not written to: only shape and dtype are determined. */
export const uninitialised: Freedom = { determined: (outputs) => outputs.map((x) => tg.zerosLike(x)) };

function orthonormality(columns: Tensor): Tensor {
  return columns.mT.matmul(columns);
}

/** u s v of a decomposition, where u and v may have more columns than there are singular values. */
function product(u: Tensor, s: Tensor, vh: Tensor): Tensor {
  const k = s.shape.at(-1)!;
  return u.narrow(-1, 0, k).mul(s.unsqueeze(-2)).matmul(vh.narrow(-2, 0, k));
}

/**
 * What of singular vectors as columns is determined: the product, the singular values and orthonormality. Vectors beyond the
 * singular values complete the others in some way, which has no derivative.
 */
function ofSingular(u: Tensor, s: Tensor, v: Tensor): Tensor[] {
  const proper = [u, v].map((vectors) => vectors.narrow(-1, 0, s.shape.at(-1)!));
  return [product(u, s, v.mT), s, ...[u.detach(), v.detach(), ...proper].map(orthonormality)];
}

/** Singular vectors, given as columns and as rows. */
export const singularVectors: Freedom = { determined: ([u, s, vh]) => ofSingular(u!, s!, vh!.mT) };

/** As `singularVectors`, both given as columns. */
export const singularColumns: Freedom = { determined: ([u, s, v]) => ofSingular(u!, s!, v!) };

/** Eigenvectors of symmetric matrices, after the eigenvalues. */
export const eigenvectors: Freedom = {
  symmetric: true,
  determined: ([values, vectors]) => [values!, product(vectors!, values!, vectors!.mT), orthonormality(vectors!)],
};

/** Singular vectors as columns, u and v of one singular value with a common sign. */
export const columnSigns: Freedom = { signs: [0, 2] };

/** Our outputs, with the signs of columns turned to those of the expected ones. */
export function aligned(outputs: readonly Tensor[], expected: readonly Tensor[], signs: readonly number[]): Tensor[] {
  const first = signs[0]!;
  const agreement = outputs[first]!.detach().mul(expected[first]!).sum(-2, { keepdim: true });
  const turn = agreement.lt(0).to(agreement.dtype).mul(-2).add(1);
  return outputs.map((output, i) => (signs.includes(i) ? output.mul(turn) : output));
}
