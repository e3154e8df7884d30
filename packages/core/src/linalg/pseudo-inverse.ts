import { custom } from '../define/rules.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { sameShape, shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { eigvalsh, eigh } from './eigen.ts';
import { epsilonOf, requireMatrices, requireSameDType, requireSquare } from './matrices.ts';
import { svd, svdvals } from './svd.ts';

/** From which size on singular values count: above the absolute tolerance and above the relative one times the largest. */
export interface ToleranceOptions {
  /** Default 0. */
  atol?: number | Tensor | null | undefined;
  /** Default max(m, n) times the precision of the dtype, or 0 if there is an absolute tolerance. */
  rtol?: number | Tensor | null | undefined;
  /** Take the matrices for symmetric and read the lower triangle, which is faster; default false. */
  hermitian?: boolean | undefined;
}

const toleranceNames: OptionNames<ToleranceOptions> = { atol: 1, rtol: 1, hermitian: 1 };

/** For each matrix whether its singular values (of any sign and order) count. */
function counts(a: Tensor, values: Tensor, { atol, rtol }: ToleranceOptions): Tensor {
  const isGiven = (x: number | Tensor | null | undefined): boolean => x instanceof Tensor || (typeof x === 'number' && x > 0);
  const relative = rtol ?? (isGiven(atol) ? 0 : Math.max(...a.shape.slice(-2)) * epsilonOf(a.dtype));
  const sizes = values.detach().abs();
  if (sizes.numel() === 0) return sizes.gt(0);
  const largest = sizes.amax(-1, { keepdim: true });
  const perMatrix = (x: number | Tensor): Tensor => {
    return x instanceof Tensor ? x.detach().to(a.dtype).unsqueeze(-1) : largest.newFull([], x);
  };
  return sizes.gt(largest.mul(perMatrix(relative)).maximum(perMatrix(atol ?? 0)));
}

const inverse = custom<ToleranceOptions>('linalg_pinv', {
  forward: ([a], options) => {
    const x = a!.detach();
    const [left, values, right] = options.hermitian === true ? symmetricParts(x) : generalParts(x);
    const reciprocals = values.reciprocal().maskedFill(counts(x, values, options).logicalNot(), 0);
    return [right.mul(reciprocals.unsqueeze(-2)).matmul(left.mT)];
  },
  savesInputs: [0],
  savesOutputs: [0],
  vjp(node, [g]) {
    const [a, p] = [node.input(0), node.output(0)];
    const [pt, gt] = [p.mT, g!.mT];
    // From dP = −P dA P + P Pᵀ dAᵀ (I − A P) + (I − P A) dAᵀ Pᵀ P.
    const direct = pt.matmul(g!).matmul(pt).neg();
    const rows = gt.sub(a.matmul(p.matmul(gt))).matmul(p).matmul(pt);
    const columns = pt.matmul(p.matmul(gt.sub(gt.matmul(p).matmul(a))));
    return [direct.add(rows).add(columns)];
  },
});

function symmetricParts(x: Tensor): [left: Tensor, values: Tensor, right: Tensor] {
  const { eigenvalues, eigenvectors } = eigh(x);
  return [eigenvectors, eigenvalues, eigenvectors];
}

function generalParts(x: Tensor): [left: Tensor, values: Tensor, right: Tensor] {
  const { U, S, Vh } = svd(x, { fullMatrices: false });
  return [U, S, Vh.mT];
}

/**
 * The Moore–Penrose inverse: singular values that do not count are taken for 0.
 * @shape [..., m, n] -> [..., n, m]
 * @derivative where the rank does not change; nothing in it divides by differences of singular values
 * @source torch.linalg.pinv
 */
export function pinv(a: Tensor, options: ToleranceOptions = none): Tensor {
  checkOptions('pinv', options, toleranceNames);
  if (options.hermitian === true) requireSquare('pinv', a);
  else requireMatrices('pinv', a);
  return inverse([a], options)[0]!;
}

/** As `linalg.pinv`, with singular values relative to the largest. @param rcond default 1e-15 @source torch.pinverse */
export function pinverse(a: Tensor, rcond = 1e-15): Tensor {
  return pinv(a, { rtol: rcond });
}

/**
 * How many singular values count, as int32.
 * @shape [..., m, n] -> [...]
 * @source torch.linalg.matrix_rank
 */
export function matrixRank(a: Tensor, options: ToleranceOptions = none): Tensor {
  checkOptions('matrixRank', options, toleranceNames);
  if (options.hermitian === true) requireSquare('matrixRank', a);
  else requireMatrices('matrixRank', a);
  const x = a.detach();
  const values = options.hermitian === true ? eigvalsh(x) : svdvals(x);
  return counts(x, values, options).sum(-1);
}

/** LAPACK's names for ways to solve; here all take the pseudo-inverse, and differ in what else they return. */
export type LstsqDriver = 'gels' | 'gelsy' | 'gelsd' | 'gelss';

const drivers: readonly LstsqDriver[] = ['gels', 'gelsy', 'gelsd', 'gelss'];

/** How `lstsq` decides on the rank, and what it returns. */
export interface LstsqOptions {
  /** Singular values below this times the largest are taken for 0; default max(m, n) times the precision. */
  rcond?: number | null | undefined;
  /** Default 'gelsy'. 'gels' returns no rank, and only 'gelsd' and 'gelss' return singular values. */
  driver?: LstsqDriver | null | undefined;
}

/** A least-squares solution and what was found on the way; parts that were not computed are empty. */
export interface LstsqResult {
  readonly solution: Tensor;
  /** Sums of squares of A X − B per column, where A has full rank and more rows than columns. */
  readonly residuals: Tensor;
  readonly rank: Tensor;
  readonly singularValues: Tensor;
}

/**
 * The X of smallest norm among those for which A X is nearest to B.
 * @shape [..., m, n], [..., m, k] or [..., m] -> [..., n, k] or [..., n]
 * @derivative through the pseudo-inverse, for the solution only
 * @throws ShapeError when A and B do not have equally many rows
 * @source torch.linalg.lstsq
 */
export function lstsq(a: Tensor, b: Tensor, options: LstsqOptions = none): LstsqResult {
  checkOptions('lstsq', options, { rcond: 1, driver: 1 });
  const op = 'lstsq';
  const driver = options.driver ?? 'gelsy';
  requireMatrices(op, a);
  requireSameDType(op, a, b);
  if (!drivers.includes(driver)) {
    throw new ValueError(
      `${op}: driver must be one of ${drivers.join(', ')}, got '${String(driver)}'`,
      { op, argument: 'driver' },
    );
  }
  const isVector = b.ndim === a.ndim - 1 && sameShape(b.shape, a.shape.slice(0, -1));
  const right = isVector ? b.unsqueeze(-1) : b;
  if (right.ndim < 2 || right.shape.at(-2) !== a.shape.at(-2)) {
    throw new ShapeError(`${op}: A is ${shapeString(a.shape)} and B is ${shapeString(b.shape)}; they must have equally many rows`, {
      op,
      shapes: [a.shape, b.shape],
    });
  }
  const [m, n] = a.shape.slice(-2) as [number, number];
  const tolerance: ToleranceOptions = { rtol: options.rcond };
  const solution = pinv(a, tolerance).matmul(right);
  const none = a.newEmpty([0]);
  const values = driver === 'gels' ? null : svdvals(a.detach());
  const rank = values === null ? null : counts(a, values, tolerance).sum(-1);
  const isFull = rank === null || rank.eq(n).all().item() === 1;
  const hasResiduals = m > n && driver !== 'gelsy' && isFull;
  return {
    solution: isVector ? solution.squeeze(-1) : solution,
    residuals: hasResiduals ? a.detach().matmul(solution.detach()).sub(right.detach()).square().sum(-2) : none,
    rank: rank ?? none.to('int32'),
    singularValues: values !== null && driver !== 'gelsy' ? values : none,
  };
}
