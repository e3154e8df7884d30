import { custom } from '../define/rules.ts';
import { GradError } from '../errors.ts';
import { checkOptions, none } from '../option-names.ts';
import type { Tensor } from '../tensor.ts';
import { decomposeSvd } from './host/singular-values.ts';
import {
  constantLike, diagonalMask, matricesOf, newMatrices, notConverged, requireFinite, requireMatrices, tensorOf,
} from './matrices.ts';

const decomposed = custom<{ full: boolean }>('linalg_svd', {
  results: 3,
  forward: ([a], { full }) => {
    const source = matricesOf(a!);
    requireFinite('svd', source);
    const { batch, rows: m, columns: n, all } = source;
    const k = Math.min(m, n);
    const u = newMatrices(batch, m, full ? m : k);
    const s = newMatrices(batch, k, 1);
    const vh = newMatrices(batch, full ? n : k, n);
    all.forEach((matrix, i) => {
      const parts = decomposeSvd(matrix, m, n, full);
      if (parts === null) throw notConverged('svd', batch, i);
      u.all[i]!.set(parts.u);
      s.all[i]!.set(parts.s);
      vh.all[i]!.set(parts.vh);
    });
    return [tensorOf(a!, u), constantLike(a!, s.values, [...batch, k]), tensorOf(a!, vh)];
  },
  savesOutputs: [0, 1, 2],
  vjp(node, [gU, gS, gVh]) {
    const s = node.output(1);
    const k = s.shape.at(-1)!;
    // Further columns of full matrices span what is left over, in no particular way.
    requireNoGradient('U', gU?.narrow(-1, k, gU.shape.at(-1)! - k));
    requireNoGradient('Vh', gVh?.narrow(-2, k, gVh.shape.at(-2)! - k));
    const [u, vh] = [node.output(0).narrow(-1, 0, k), node.output(2).narrow(-2, 0, k)];
    const toU = gU?.narrow(-1, 0, k);
    const toV = gVh?.narrow(-2, 0, k).mT;
    const v = vh.mT;
    const column = s.unsqueeze(-2);
    const gaps = column.sub(s.unsqueeze(-1)).mul(column.add(s.unsqueeze(-1))).maskedFill(diagonalMask(s, k), 1);
    const turning = (basis: Tensor, g: Tensor): Tensor => {
      const inner = basis.mT.matmul(g);
      return inner.sub(inner.mT).div(gaps);
    };
    let core = gS ? gS.diagEmbed() : null;
    const include = (part: Tensor): Tensor => (core === null ? part : core.add(part));
    if (toU) core = include(turning(u, toU).mul(column));
    if (toV) core = include(s.unsqueeze(-1).mul(turning(v, toV)));
    if (core === null) return [null];
    let left = u.matmul(core);
    // What leaves the space that u spans, and the same for v.
    if (toU && u.shape.at(-2)! > k) left = left.add(outside(u, toU).div(column));
    let out = left.matmul(vh);
    if (toV && v.shape.at(-2)! > k) out = out.add(u.matmul(outside(v, toV).div(column).mT));
    return [out];
  },
});

function requireNoGradient(name: string, gradient: Tensor | undefined): void {
  if (gradient === undefined || gradient.numel() === 0 || gradient.detach().ne(0).any().item() === 0) return;
  throw new GradError(
    `svd: the result depends on vectors of ${name} beyond the singular values, which the matrix does not determine, so it has ` +
      'no derivative. Use { fullMatrices: false }',
    { op: 'svd' },
  );
}

function outside(basis: Tensor, g: Tensor): Tensor {
  return g.sub(basis.matmul(basis.mT.matmul(g)));
}

/** Left singular vectors as columns, singular values in falling order, right singular vectors as rows. */
export interface SvdParts {
  readonly U: Tensor;
  readonly S: Tensor;
  readonly Vh: Tensor;
}

/** Whether the matrices of singular vectors are square. */
export interface FullMatricesOption {
  /** Complete U and Vh to square matrices (default); else they have min(m, n) columns and rows. */
  fullMatrices?: boolean | undefined;
}

/**
 * The singular value decomposition A = U diag(S) Vh.
 * @shape [..., m, n] -> [..., m, m or k], [..., k], [..., n or k, n] with k = min(m, n)
 * @derivative not finite where singular values are equal, or 0 and U or Vh is used; of functions that do not depend on the
 * signs of the singular vectors
 * @numerics one-sided Jacobi rotations in float64, whatever the dtype
 * @throws LinAlgError naming the batch element that has NaN or infinite elements
 * @throws GradError in a backward pass that reaches vectors beyond the singular values, which are arbitrary
 * @example
 * const { S } = tg.linalg.svd(tg.tensor([[3, 0], [0, 4]]));
 * console.log(S.toArray()); // → [ 4, 3 ]
 * @source torch.linalg.svd
 */
export function svd(a: Tensor, options: FullMatricesOption = none): SvdParts {
  checkOptions('svd', options, { fullMatrices: 1 });
  requireMatrices('svd', a);
  const [U, S, Vh] = decomposed([a], { full: options.fullMatrices !== false });
  return { U: U!, S: S!, Vh: Vh! };
}

/**
 * The singular values in falling order.
 * @shape [..., m, n] -> [..., min(m, n)]
 * @derivative U diag(g) Vh, finite for equal singular values too
 * @source torch.linalg.svdvals
 */
export function svdvals(a: Tensor): Tensor {
  requireMatrices('svdvals', a);
  return decomposed([a], { full: false })[1]!;
}
