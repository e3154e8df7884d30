import { custom } from '../define/rules.ts';
import { isRecording } from '../dispatch.ts';
import type { Tensor } from '../tensor.ts';
import { equilibrate } from './host/equilibration.ts';
import { factorLu } from './host/lu.ts';
import { constantLike, matricesOf, newMatrices, requireSquare, tensorOf } from './matrices.ts';
import { invEx } from './solve.ts';
import { svd } from './svd.ts';

/** The determinants of a batch, as such and as sign and logarithm of the magnitude. */
interface Magnitudes {
  readonly values: Float64Array;
  readonly signs: Float64Array;
  readonly logs: Float64Array;
}

function magnitudesOf(a: Tensor): Magnitudes {
  const { all, rows: n } = matricesOf(a);
  const [values, signs, logs] = [new Float64Array(all.length), new Float64Array(all.length), new Float64Array(all.length)];
  all.forEach((matrix, i) => {
    const { pivots } = factorLu(matrix, n, n);
    let [value, sign, log] = [1, 1, 0];
    for (let k = 0; k < n; k++) {
      const pivot = matrix[k * n + k]!;
      if (pivots[k] !== k) [value, sign] = [-value, -sign];
      value *= pivot;
      sign *= Math.sign(pivot);
      log += Math.log(Math.abs(pivot));
    }
    // A zero of either sign is 0.
    [values[i], signs[i], logs[i]] = [value + 0, sign + 0, log];
  });
  return { values, signs, logs };
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

/** Below this ratio of the smallest pivot to the largest the inverse is too inexact for second derivatives. */
const SAFE_RATIO = 2 ** -18;

/** The scheme without division takes n products of n × n matrices; above this n that is too many. */
const LARGEST_SCHEME = 100;

/**
 * The determinant.
 * @shape [..., n, n] -> [...]
 * @derivative det A · A⁻ᵀ; for singular and nearly singular matrices of up to 100 rows the cofactors, at every order
 * @numerics LU with partial pivoting in float64, whatever the dtype
 * @throws ShapeError when the matrices are not square
 * @example
 * const a = tg.tensor([[1, 2], [2, 4]], { requiresGrad: true });
 * tg.linalg.det(a).backward();
 * console.log(a.grad!.round().toArray()); // → [ [ 4, -2 ], [ -2, 1 ] ]
 * @source torch.linalg.det
 */
export function det(a: Tensor): Tensor {
  requireSquare('det', a);
  const magnitudes = magnitudesOf(a.detach());
  const n = a.shape.at(-1)!;
  const scaled = matricesOf(a);
  const scales = isRecording([a]) && n <= LARGEST_SCHEME ? scaled.all.map((matrix) => equilibrate(matrix, n)) : [];
  if (scales.every((_, i) => !(pivotRatio(scaled.all[i]!, n) < SAFE_RATIO))) return byPivots([a], magnitudes)[0]!;
  const [rows, columns] = [newMatrices(scaled.batch, n, 1), newMatrices(scaled.batch, 1, n)];
  scales.forEach((scale, i) => {
    rows.all[i]!.set(scale.rows);
    columns.all[i]!.set(scale.columns);
  });
  const unit = Float64Array.from(scales, ({ exponent }) => 2 ** -exponent);
  const polynomial = withoutDivision(a.mul(tensorOf(a, rows)).mul(tensorOf(a, columns))).mul(constantLike(a, unit, scaled.batch));
  // The value is that of the pivots, whether recorded or not; the derivatives are those of the polynomial.
  return polynomial.sub(polynomial.detach()).add(byPivots([a.detach()], magnitudes)[0]!);
}

/** The smallest pivot through the largest. Overwrites the matrix. */
function pivotRatio(matrix: Float64Array, n: number): number {
  factorLu(matrix, n, n);
  const pivots = Array.from({ length: n }, (_, k) => Math.abs(matrix[k * n + k]!));
  return n === 0 ? 1 : Math.min(...pivots) / (Math.max(...pivots) || 1);
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
  const [turnU, turnV] = [magnitudesOf(U).signs, magnitudesOf(Vh).signs];
  return first.mul(constantLike(a, turnU.map((sign, i) => sign * turnV[i]!), first.shape)).mul(n % 2 === 0 ? -1 : 1);
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
