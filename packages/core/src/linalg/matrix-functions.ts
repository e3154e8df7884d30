import { extended } from '../define/framing.ts';
import { ShapeError, ValueError } from '../errors.ts';

import { where } from '../ops/selection.ts';
import { checkOptions, none } from '../option-names.ts';
import { normalizeDim, numel, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { identityLike, integersLike, requireFloating, requireMatrices, requireSquare } from './matrices.ts';
import { inv, solve } from './solve.ts';

/**
 * The n-th power of square matrices, by repeated squaring; of the inverse for negative n.
 * @shape [..., k, k] -> [..., k, k]
 * @throws LinAlgError for negative n, when a matrix is singular
 * @source torch.linalg.matrix_power
 */
export function matrixPower(a: Tensor, n: number): Tensor {
  requireSquare('matrixPower', a);
  if (!Number.isInteger(n)) {
    throw new ValueError(
      `matrixPower: the exponent must be a whole number, got ${n}`,
      { op: 'matrixPower', argument: 'n' },
    );
  }
  if (n === 0) return identityLike(a, a.shape.at(-1)!).expand(a.shape).clone();
  let square = n < 0 ? inv(a) : a;
  let result: Tensor | null = null;
  for (let rest = Math.abs(n); ; square = square.matmul(square)) {
    if (rest % 2 === 1) result = result === null ? square : result.matmul(square);
    rest = Math.floor(rest / 2);
    if (rest === 0) return result === a || result === null ? a.clone() : result;
  }
}

/** Coefficients of the Padé approximant of degree 13, which is symmetric: those of −x in the denominator. */
const PADE = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600, 670442572800,
  33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
] as const;

/** Up to this 1-norm the approximant and its first two derivatives are exact to float64. */
const LARGEST_NORM = 3;

/**
 * The exponential of square matrices, Σ Aᵏ / k!.
 * @shape [..., n, n] -> [..., n, n]
 * @derivative of every order, from the products that compute it
 * @numerics the Padé approximant of degree 13 of A / 2ˢ, squared s times, with an s for each matrix
 * @example
 * console.log(tg.linalg.matrixExp(tg.tensor([[0, 1], [0, 0]])).toArray()); // → [ [ 1, 1 ], [ 0, 1 ] ]
 * @source torch.linalg.matrix_exp
 */
export function matrixExp(a: Tensor): Tensor {
  requireSquare('matrixExp', a);
  if (a.numel() === 0) return a.clone();
  const batch = a.shape.slice(0, -2);
  const norms = a.detach().abs().sum(-2).amax(-1).toTypedArray();
  const squarings = Int32Array.from(norms, (norm) => Math.max(0, Math.ceil(Math.log2(norm / LARGEST_NORM))) || 0);
  const perMatrix = integersLike(a, squarings, [...batch, 1, 1]);
  let result = approximated(a.mul(integersLike(a, squarings, perMatrix.shape).neg().to(a.dtype).exp2()));
  for (let step = 0; step < Math.max(...squarings); step++) result = where(perMatrix.gt(step), result.matmul(result), result);
  return result;
}

function approximated(a: Tensor): Tensor {
  const identity = identityLike(a, a.shape.at(-1)!);
  const b = (k: number): number => PADE[k]! / PADE[0];
  const a2 = a.matmul(a);
  const a4 = a2.matmul(a2);
  const a6 = a4.matmul(a2);
  const weighted = (...parts: [power: Tensor, k: number][]): Tensor => {
    return parts.map(([power, k]) => power.mul(b(k))).reduce((sum, part) => sum.add(part));
  };
  const odd = a.matmul(a6.matmul(weighted([a6, 13], [a4, 11], [a2, 9])).add(weighted([a6, 7], [a4, 5], [a2, 3], [identity, 1])));
  const even = a6.matmul(weighted([a6, 12], [a4, 10], [a2, 8])).add(weighted([a6, 6], [a4, 4], [a2, 2], [identity, 0]));
  return solve(even.sub(odd), even.add(odd));
}

/**
 * The product of several matrices, in the order of multiplication that takes the fewest steps. The first and the last
 * may be vectors.
 * @throws ShapeError when neighbours do not fit
 * @source torch.linalg.multi_dot
 */
export function multiDot(tensors: readonly Tensor[]): Tensor {
  const op = 'multiDot';
  if (tensors.length < 2) throw new ValueError(`${op}: at least 2 tensors are needed, got ${tensors.length}`, { op });
  const last = tensors.length - 1;
  tensors.forEach((x, i) => {
    const isEnd = i === 0 || i === last;
    if (x.ndim === 2 || (isEnd && x.ndim === 1)) return;
    throw new ShapeError(
      `${op}: tensor ${i} must be a matrix${isEnd ? ' or a vector' : ''}, got ${shapeString(x.shape)}`,
      { op, shapes: [x.shape] },
    );
  });
  const matrices = tensors.map((x, i) => (x.ndim === 2 ? x : x.unsqueeze(i === 0 ? 0 : 1)));
  const sizes = [matrices[0]!.shape[0]!, ...matrices.map((x) => x.shape[1]!)];
  matrices.forEach((x, i) => {
    if (x.shape[0] === sizes[i]) return;
    throw new ShapeError(
      `${op}: tensor ${i - 1} is ${shapeString(tensors[i - 1]!.shape)} and tensor ${i} is ` +
        `${shapeString(tensors[i]!.shape)}; they do not fit`,
      { op, shapes: [tensors[i - 1]!.shape, tensors[i]!.shape] },
    );
  });
  const splits = cheapestSplits(sizes);
  const product = (from: number, to: number): Tensor => {
    if (from === to) return matrices[from]!;
    const split = splits[from]![to]!;
    return product(from, split).mm(product(split + 1, to));
  };
  const out = product(0, last);
  const [head, tail] = [tensors[0]!.ndim === 1, tensors[last]!.ndim === 1];
  return head || tail ? out.reshape([...(head ? [] : [sizes[0]!]), ...(tail ? [] : [sizes.at(-1)!])]) : out;
}

/** For each run of matrices after which of them to split it, so that the number of multiplications is least. */
function cheapestSplits(sizes: readonly number[]): number[][] {
  const n = sizes.length - 1;
  const costs = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const splits = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let span = 1; span < n; span++) {
    for (let from = 0; from + span < n; from++) {
      const to = from + span;
      costs[from]![to] = Infinity;
      for (let split = from; split < to; split++) {
        const cost = costs[from]![split]! + costs[split + 1]![to]! + sizes[from]! * sizes[split + 1]! * sizes[to + 1]!;
        if (cost < costs[from]![to]!) [costs[from]![to], splits[from]![to]] = [cost, split];
      }
    }
  }
  return splits;
}

/** The product of several matrices; the older name of `linalg.multiDot`. @source torch.chain_matmul */
export function chainMatmul(tensors: readonly Tensor[]): Tensor {
  return tensors.length === 1 ? tensors[0]! : multiDot(tensors);
}

/** The sums of products along a dimension; the tensors broadcast. @source torch.linalg.vecdot */
export function vecdot(x: Tensor, y: Tensor, dim = -1): Tensor {
  requireFloating('vecdot', x, 'x');
  return x.mul(y).sum(dim);
}

/**
 * The cross product of vectors of three components, which lie in `dim`.
 * @throws ShapeError for another size
 * @source torch.linalg.cross
 */
export function cross(x: Tensor, y: Tensor, dim = -1): Tensor {
  if (x.ndim !== y.ndim) {
    throw new ShapeError(
      `cross: both tensors must have equally many dimensions, got ${shapeString(x.shape)} and ${shapeString(y.shape)}`,
      { op: 'cross', shapes: [x.shape, y.shape] },
    );
  }
  return x.cross(y, dim);
}

/** The matrix product. @source torch.linalg.matmul */
export function matmul(x: Tensor, y: Tensor): Tensor {
  return x.matmul(y);
}

/** Which diagonal, and of which two dimensions. */
export interface DiagonalOptions {
  /** 0 the main one (default), 1 the one above it. */
  offset?: number | undefined;
  /** Default −2. */
  dim1?: number | undefined;
  /** Default −1. */
  dim2?: number | undefined;
}

/** The diagonals of the matrices in two dimensions, the last two by default. @source torch.linalg.diagonal */
export function diagonal(a: Tensor, options: DiagonalOptions = none): Tensor {
  checkOptions('diagonal', options, { offset: 1, dim1: 1, dim2: 1 });
  const { offset = 0, dim1 = -2, dim2 = -1 } = options;
  return a.diagonal(offset, dim1, dim2);
}

/**
 * The powers 0 to N − 1 of each element, in a new last dimension.
 * @shape [..., n] -> [..., n, N]
 * @param N how many; default n
 * @source torch.linalg.vander
 */
export function vander(x: Tensor, options: { N?: number | null | undefined } = none): Tensor {
  checkOptions('vander', options, { N: 1 });
  const count = options.N ?? x.shape.at(-1) ?? 1;
  if (!Number.isInteger(count) || count < 2) {
    throw new ValueError(
      `vander: N must be a whole number of at least 2, got ${count}`,
      { op: 'vander', argument: 'N' },
    );
  }
  const elements = x.ndim === 0 ? x.reshape([1]) : x;
  const repeated = elements.unsqueeze(-1).expand([...elements.shape, count - 1]);
  return extended(repeated.cumprod(-1), elements.ndim, [1, 0], 1);
}

/**
 * The tensor X with tensordot(X, A, ind) the identity.
 * @shape sizes whose first `ind` multiply up to the same number as the others -> the others, then the first
 * @param ind default 2
 * @throws ShapeError when the two products differ; LinAlgError when there is no inverse
 * @source torch.linalg.tensorinv
 */
export function tensorinv(a: Tensor, ind = 2): Tensor {
  if (!Number.isInteger(ind) || ind < 1) {
    throw new ValueError(
      `tensorinv: ind must be a whole number of at least 1, got ${ind}`,
      { op: 'tensorinv', argument: 'ind' },
    );
  }
  const [first, rest] = [a.shape.slice(0, ind), a.shape.slice(ind)];
  if (numel(first) !== numel(rest)) {
    throw new ShapeError(
      `tensorinv: the first ${ind} sizes of ${shapeString(a.shape)} multiply up to ${numel(first)}, and the others to ` +
        `${numel(rest)}; they must be equal`,
      { op: 'tensorinv', shapes: [a.shape] },
    );
  }
  return inv(a.reshape([numel(first), numel(rest)])).reshape([...rest, ...first]);
}

/**
 * The tensor X with tensordot(A, X, rank of X) equal to B.
 * @param dims dimensions of A that are moved to the end first
 * @throws ShapeError when A does not fit; LinAlgError when there is no single solution
 * @source torch.linalg.tensorsolve
 */
export function tensorsolve(a: Tensor, b: Tensor, options: { dims?: readonly number[] | null | undefined } = none): Tensor {
  checkOptions('tensorsolve', options, { dims: 1 });
  const moved = (options.dims ?? []).map((d) => normalizeDim('tensorsolve', d, a.ndim));
  const order = [...a.shape.map((_, d) => d).filter((d) => !moved.includes(d)), ...moved];
  const x = a.permute(order);
  const rest = x.shape.slice(b.ndim);
  if (numel(rest) * b.numel() !== x.numel() || numel(rest) !== b.numel()) {
    throw new ShapeError(
      `tensorsolve: A, ${shapeString(x.shape)}, cannot be taken for a square matrix with ${b.numel()} rows, as B, ` +
        `${shapeString(b.shape)}, asks`,
      { op: 'tensorsolve', shapes: [x.shape, b.shape] },
    );
  }
  requireMatrices('tensorsolve', x.reshape([b.numel(), b.numel()]));
  return solve(x.reshape([b.numel(), b.numel()]), b.reshape([b.numel()])).reshape(rest);
}
