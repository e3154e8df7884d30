import { custom } from '../define/rules.ts';
import type { Tensor } from '../tensor.ts';
import { isRecording } from '../dispatch.ts';
import { factorLu } from './host/lu.ts';
import { constantLike, epsilonOf, matricesOf, requireSquare } from './matrices.ts';
import { invEx } from './solve.ts';
import { svd } from './svd.ts';

/** Sign, logarithm of the magnitude, and the ratio of the smallest pivot to the largest, per matrix. */
interface Magnitudes {
  readonly signs: Float64Array;
  readonly logs: Float64Array;
  readonly values: Float64Array;
  /** At worst over the batch; 1 for empty matrices. */
  readonly pivotRatio: number;
}

function magnitudesOf(a: Tensor): Magnitudes {
  const { all, rows: n } = matricesOf(a);
  const [signs, logs, values] = [new Float64Array(all.length), new Float64Array(all.length), new Float64Array(all.length)];
  let pivotRatio = 1;
  all.forEach((matrix, i) => {
    const { pivots } = factorLu(matrix, n, n);
    let [sign, log, value, smallest, largest] = [1, 0, 1, Infinity, 0];
    for (let k = 0; k < n; k++) {
      const pivot = matrix[k * n + k]!;
      const size = Math.abs(pivot);
      if (pivots[k] !== k) [sign, value] = [-sign, -value];
      sign *= Math.sign(pivot);
      log += Math.log(size);
      value *= pivot;
      smallest = Math.min(smallest, size);
      largest = Math.max(largest, size);
    }
    // A zero of either sign is 0.
    [signs[i], logs[i], values[i]] = [sign + 0, log, value + 0];
    if (n > 0) pivotRatio = Math.min(pivotRatio, largest === 0 ? 0 : smallest / largest);
  });
  return { signs, logs, values, pivotRatio };
}

const byPivots = custom<Magnitudes>('linalg_det', {
  forward: ([a], { values }) => [constantLike(a!, values, a!.shape.slice(0, -2))],
  savesInputs: [0],
  savesOutputs: [0],
  vjp(node, [g]) {
    const weight = g!.mul(node.output(0)).unsqueeze(-1).unsqueeze(-1);
    return [invEx(node.input(0)).inverse.mT.mul(weight)];
  },
});

/** Below this ratio of pivots, in units of the dtype's precision, the inverse is too inexact for second derivatives. */
const SAFE_RATIO = 2 ** 34;

/**
 * The determinant.
 * @shape [..., n, n] -> [...]
 * @derivative det A · A⁻ᵀ; for singular and nearly singular matrices the cofactors, at every order
 * @numerics LU with partial pivoting in float64, whatever the dtype
 * @throws ShapeError when the matrices are not square
 * @source torch.linalg.det
 */
export function det(a: Tensor): Tensor {
  requireSquare('det', a);
  const magnitudes = magnitudesOf(a.detach());
  const isNearlySingular = magnitudes.pivotRatio < SAFE_RATIO * epsilonOf('float64');
  return isNearlySingular && isRecording([a]) ? withoutDivision(a) : byPivots([a], magnitudes)[0]!;
}

/**
 * The determinant as a polynomial of the elements, which has derivatives of every order where A is singular. Bird's
 * scheme needs no division; in the bases of A's singular vectors, which are constants here, its sums do not cancel.
 */
function withoutDivision(a: Tensor): Tensor {
  const n = a.shape.at(-1)!;
  const { U, Vh } = svd(a.detach());
  const diagonal = U.mT.matmul(a).matmul(Vh.mT);
  // Each step keeps the strict upper triangle; the diagonal becomes minus the sum of the diagonal elements further down.
  let x = diagonal;
  for (let step = 1; step < n; step++) {
    const own = x.diagonal(0, -2, -1);
    const further = own.sum(-1, { keepdim: true }).sub(own.cumsum(-1)).neg();
    x = x.triu(1).add(further.diagEmbed()).matmul(diagonal);
  }
  const first = x.select(-1, 0).select(-1, 0);
  const turn = magnitudesOf(U).signs.map((sign, i) => sign * magnitudesOf(Vh).signs[i]!);
  return first.mul(constantLike(a, turn, first.shape)).mul(n % 2 === 0 ? -1 : 1);
}

const logarithm = custom<Magnitudes>('linalg_slogdet', {
  results: 2,
  forward: ([a], { signs, logs }) => [signs, logs].map((values) => constantLike(a!, values, a!.shape.slice(0, -2))),
  savesInputs: [0],
  vjp(node, [, g]) {
    if (!g) return [null];
    return [invEx(node.input(0)).inverse.mT.mul(g.unsqueeze(-1).unsqueeze(-1))];
  },
});

/** A determinant as its sign (0 if singular) and the logarithm of its magnitude. */
export interface SignAndLog {
  readonly sign: Tensor;
  readonly logabsdet: Tensor;
}

/**
 * The sign of the determinant and the logarithm of its magnitude, which does not overflow.
 * @shape [..., n, n] -> [...], [...]
 * @derivative A⁻ᵀ for the logarithm; infinite where A is singular. The sign has none
 * @source torch.linalg.slogdet
 */
export function slogdet(a: Tensor): SignAndLog {
  requireSquare('slogdet', a);
  const [sign, logabsdet] = logarithm([a], magnitudesOf(a.detach()));
  return { sign: sign!.detach(), logabsdet: logabsdet! };
}

/** The logarithm of the determinant: NaN where that is negative, −∞ where A is singular. @source torch.logdet */
export function logdet(a: Tensor): Tensor {
  requireSquare('logdet', a);
  const { sign, logabsdet } = slogdet(a);
  return logabsdet.maskedFill(sign.lt(0), NaN);
}
