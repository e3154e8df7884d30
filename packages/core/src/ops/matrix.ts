import { bilinear } from '../define/rules.ts';
import { broadcastView, empty, kernels } from '../dispatch.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { checkOptions, none, refuseOptions, type NoOptions, type OptionNames } from '../option-names.ts';
import { broadcastShapes, numel, sameShape, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** Matrices in the last two dimensions, equal or broadcasting batch dimensions before them. */
const batchedProduct = bilinear<null>('matmul', {
  forward: (a, b) => {
    const batch = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
    const [m, k] = [a.shape.at(-2)!, a.shape.at(-1)!];
    const n = b.shape.at(-1)!;
    const out = empty([...batch, m, n], a.dtype);
    kernels().matmul(out, broadcastView(a, [...batch, m, k]), broadcastView(b, [...batch, k, n]));
    return out;
  },
  transposes: [
    (g, b, _, { shape }) => g.matmul(b.mT).sumToSize(shape),
    (g, a, _, { shape }) => transposedProduct(a, g, shape.length).sumToSize(shape),
  ],
});

/** aᵀ g; a single matrix on the right of a batch takes one product over the whole batch instead of a sum of many. */
function transposedProduct(a: Tensor, g: Tensor, rank: number): Tensor {
  if (rank > 2 || g.ndim === 2) return a.mT.matmul(g);
  return a.reshape([numel(a.shape.slice(0, -1)), a.shape.at(-1)!]).mT.matmul(g.reshape([numel(g.shape.slice(0, -1)), g.shape.at(-1)!]));
}

/**
 * The matrix product. Vectors are taken as a row on the left and a column on the right; dimensions before the last
 * two are batches and broadcast.
 * @shape [..., m, k], [..., k, n] -> [..., m, n]
 * @derivative g bᵀ and aᵀ g, summed over broadcast batches
 * @throws ShapeError when the inner dimensions differ
 * @throws DTypeError when the dtypes differ
 * @source torch.matmul
 */
export function matmul(x: Tensor, w: Tensor, options?: NoOptions): Tensor {
  refuseOptions('matmul', options);
  if (x.ndim === 0 || w.ndim === 0) {
    throw new ShapeError(
      `matmul: both arguments need at least 1 dimension, but they have ${x.ndim} and ${w.ndim}; use mul for scalars`,
      { op: 'matmul', shapes: [x.shape, w.shape] },
    );
  }
  const inner = w.ndim === 1 ? w.shape[0]! : w.shape.at(-2)!;
  if (x.shape.at(-1) !== inner) throw innerMismatch(x, w, inner);
  if (x.dtype !== w.dtype) {
    throw new DTypeError(
      `matmul: x is ${x.dtype} and w is ${w.dtype}; both must have the same dtype. Convert one: x.to('${w.dtype}')`,
      { op: 'matmul', dtypes: [x.dtype, w.dtype] },
    );
  }
  // A batch times one matrix is one large product.
  if (x.ndim > 2 && w.ndim === 2) {
    const flat = batchedProduct(x.reshape([numel(x.shape.slice(0, -1)), inner]), w, null);
    return flat.reshape([...x.shape.slice(0, -1), w.shape[1]!]);
  }
  const a = x.ndim === 1 ? x.unsqueeze(0) : x;
  const b = w.ndim === 1 ? w.unsqueeze(1) : w;
  let out = batchedProduct(a, b, null);
  if (w.ndim === 1) out = out.squeeze(-1);
  return x.ndim === 1 ? out.squeeze(w.ndim === 1 ? -1 : -2) : out;
}

function innerMismatch(x: Tensor, w: Tensor, inner: number): ShapeError {
  let hint = '';
  if (w.ndim === 2 && w.shape[1] === x.shape.at(-1)) hint = ' Did you mean x.matmul(w.T)?';
  else if (x.ndim === 2 && x.shape[0] === inner) hint = ' Did you mean x.T.matmul(w)?';
  else if (x.ndim > 2 && x.numel() === x.shape[0]! * inner) hint = ' Did you forget x.flatten(1)?';
  return new ShapeError(
    `matmul: x is ${shapeString(x.shape)} and w is ${shapeString(w.shape)}; the inner dimensions ${x.shape.at(-1)} and ` +
      `${inner} differ.${hint}`,
    { op: 'matmul', shapes: [x.shape, w.shape] },
  );
}

function requireRank(op: string, x: Tensor, rank: number, name: string): void {
  if (x.ndim !== rank) {
    throw new ShapeError(`${op}: ${name} must have ${rank} dimension${rank === 1 ? '' : 's'}, got ${shapeString(x.shape)}`, {
      op,
      argument: name,
      shapes: [x.shape],
    });
  }
}

/** The product of two matrices. @shape [m, k], [k, n] -> [m, n] @source torch.mm */
export function mm(x: Tensor, w: Tensor, options?: NoOptions): Tensor {
  refuseOptions('mm', options);
  requireRank('mm', x, 2, 'x');
  requireRank('mm', w, 2, 'w');
  return x.matmul(w);
}

/** Products of two batches of matrices. @shape [b, m, k], [b, k, n] -> [b, m, n] @source torch.bmm */
export function bmm(x: Tensor, w: Tensor, options?: NoOptions): Tensor {
  refuseOptions('bmm', options);
  requireRank('bmm', x, 3, 'x');
  requireRank('bmm', w, 3, 'w');
  if (x.shape[0] !== w.shape[0]) {
    throw new ShapeError(`bmm: the batches have sizes ${x.shape[0]} and ${w.shape[0]}; they must be equal`, {
      op: 'bmm',
      shapes: [x.shape, w.shape],
    });
  }
  return x.matmul(w);
}

/** The product of a matrix and a vector. @shape [m, k], [k] -> [m] @source torch.mv */
export function mv(x: Tensor, v: Tensor): Tensor {
  requireRank('mv', x, 2, 'x');
  requireRank('mv', v, 1, 'v');
  return x.matmul(v);
}

/** The inner product of two vectors. @shape [k], [k] -> [] @source torch.dot */
export function dot(x: Tensor, y: Tensor): Tensor {
  requireRank('dot', x, 1, 'x');
  requireRank('dot', y, 1, 'y');
  return x.matmul(y);
}

/** The products of all pairs. @shape [m], [n] -> [m, n] @source torch.outer */
export function outer(x: Tensor, y: Tensor): Tensor {
  requireRank('outer', x, 1, 'x');
  requireRank('outer', y, 1, 'y');
  return x.unsqueeze(1).mul(y);
}

/** The transposes of the matrices in the last two dimensions, as `mH`. @source torch.adjoint */
export function adjoint(x: Tensor): Tensor {
  return x.mH;
}

/** Weights of the two parts of `addmm` and its kin. */
export interface AddmmOptions {
  /** Factor of the added tensor; 0 ignores it, NaN and all. Default 1. */
  beta?: number;
  /** Factor of the product; default 1. */
  alpha?: number;
}

const addmmNames: OptionNames<AddmmOptions> = { beta: 1, alpha: 1 };

/** beta · x + alpha · (a b). @source torch.addmm */
export function addmm(x: Tensor, a: Tensor, b: Tensor, options: AddmmOptions = none): Tensor {
  return weighted('addmm', x, a.mm(b), options);
}

/** beta · x + alpha · (a b), batch by batch. @source torch.baddbmm */
export function baddbmm(x: Tensor, a: Tensor, b: Tensor, options: AddmmOptions = none): Tensor {
  return weighted('baddbmm', x, a.bmm(b), options);
}

/** beta · x + alpha · the sum of the products of a batch. @shape x, [b, m, k], [b, k, n] -> [m, n] @source torch.addbmm */
export function addbmm(x: Tensor, a: Tensor, b: Tensor, options: AddmmOptions = none): Tensor {
  return weighted('addbmm', x, a.bmm(b).sum(0), options);
}

/** beta · x + alpha · (a v). @shape x, [m, k], [k] -> [m] @source torch.addmv */
export function addmv(x: Tensor, a: Tensor, v: Tensor, options: AddmmOptions = none): Tensor {
  return weighted('addmv', x, a.mv(v), options);
}

/** beta · x + alpha · (u vᵀ). @shape x, [m], [n] -> [m, n] @source torch.addr */
export function addr(x: Tensor, u: Tensor, v: Tensor, options: AddmmOptions = none): Tensor {
  return weighted('addr', x, u.outer(v), options);
}

function weighted(op: string, x: Tensor, product: Tensor, options: AddmmOptions): Tensor {
  checkOptions(op, options, addmmNames);
  const { beta = 1, alpha = 1 } = options;
  if (!sameShape(broadcastShapes(op, x.shape, product.shape), product.shape)) {
    throw new ShapeError(
      `${op}: ${shapeString(x.shape)} cannot be expanded to ${shapeString(product.shape)}, the shape of the product`,
      { op, argument: 'x', shapes: [x.shape, product.shape] },
    );
  }
  const scaled = alpha === 1 ? product : product.mul(alpha);
  if (beta === 0) return scaled;
  return scaled.add(beta === 1 ? x : x.mul(beta));
}

/**
 * x wᵀ + b, as a fully connected layer computes it.
 * @shape [..., in], [out, in], [out] -> [..., out]
 * @source torch.nn.functional.linear
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  if (x.ndim === 0) throw new ShapeError('linear: the input needs at least 1 dimension', { op: 'linear', shapes: [x.shape] });
  if (weight.ndim === 2 && x.shape.at(-1) !== weight.shape[1]) {
    throw new ShapeError(
      `linear: input is ${shapeString(x.shape)}, expected [..., ${weight.shape[1]}]` +
        (x.ndim > 2 && x.numel() === x.shape[0]! * weight.shape[1]! ? '; did you forget x.flatten(1)?' : ''),
      { op: 'linear', argument: 'x', shapes: [x.shape, weight.shape] },
    );
  }
  if (weight.ndim !== 2 || x.dtype !== weight.dtype) return plusBias(x.matmul(weight.ndim === 1 ? weight : weight.t()), bias);
  const lead = x.shape.slice(0, -1);
  const rows = rowsByWeight(x.ndim === 2 ? x : x.reshape([numel(lead), x.shape.at(-1)!]), weight, null);
  const sums = plusBias(rows, bias);
  return x.ndim === 2 ? sums : sums.reshape([...lead, weight.shape[0]!]);
}

/** x wᵀ for matrices. Its gradients are products of x, w and g as they lie, so that none has to be transposed in memory. */
const rowsByWeight = bilinear<null>('linear', {
  forward: (x, w) => {
    const out = empty([x.shape[0]!, w.shape[0]!], x.dtype);
    kernels().matmul(out, x, w.detach().t());
    return out;
  },
  transposes: [(g, w) => g.matmul(w), (g, x) => g.t().matmul(x)],
  addSecond: (sum, g, x) => kernels().matmul(sum, g.t(), x, true),
});

/** A bias is added in place, since nobody else has the product. */
function plusBias(product: Tensor, bias: Tensor | null | undefined): Tensor {
  if (bias === undefined || bias === null) return product;
  const fits = bias.dtype === product.dtype && bias.ndim === 1 && bias.shape[0] === product.shape.at(-1);
  return fits ? product.add_(bias) : product.add(bias);
}
