import {
  cat, eye, geqrf, inverse, keep, matrixExp, orgqr, pad, randn, requireOptions, ShapeError, ValueError, type Tensor,
} from '@tapegrad/core';
import { Module } from './module.ts';
import { requireOneOf } from './named.ts';
import { registerParametrization, type Parametrization } from './parametrization.ts';

/** How an orthogonal matrix comes from one that is not. */
export type OrthogonalMap = 'matrix_exp' | 'cayley' | 'householder';

/** Options of `orthogonal`. */
export interface OrthogonalOptions {
  /** Name of the parameter; default 'weight'. */
  name?: string | undefined;
  /** Default 'matrix_exp' for square matrices, 'householder' for others. */
  orthogonalMap?: OrthogonalMap | null | undefined;
  /**
   * Learn the difference to the matrix that is there, which any matrix can then be assigned to; default true. Costs a
   * product, and without it only 'householder' can be assigned.
   */
  useTrivialization?: boolean | undefined;
}

/** Columns of matrices n × k, n ≥ k, that are orthogonal and of length 1, from matrices of the same shape. */
const maps: Readonly<Record<OrthogonalMap, (x: Tensor) => Tensor>> = {
  matrix_exp: (x) => matrixExp(skew(x)).narrow(-1, 0, x.shape.at(-1)!),
  cayley(x) {
    const half = skew(x).mul(0.5);
    const identity = eye(half.shape.at(-1)!, half.shape.at(-1)!, { dtype: x.dtype as 'float32' });
    // (I − H)⁻¹ (I + H)
    return inverse(identity.sub(half)).mul(2).sub(identity).narrow(-1, 0, x.shape.at(-1)!);
  },
  householder(x) {
    const vectors = x.tril(-1);
    const factors = vectors.square().sum(-2).add(1).reciprocal().mul(2);
    // The diagonal holds signs, which do not learn.
    return orgqr(vectors, factors).mul(x.detach().diagonal(0, -2, -1).trunc().unsqueeze(-2));
  },
};

/** A − Aᵀ for the lower triangle A of a matrix, with columns of zeros until it is square. */
function skew(x: Tensor): Tensor {
  const [n, k] = x.shape.slice(-2) as [number, number];
  const square = pad(x.tril(), [0, n - k]);
  return square.sub(square.mT);
}

/** The factor Q of A = Q R with a diagonal of R that is not negative. */
function orthogonalFactor(matrix: Tensor): Tensor {
  const { a, tau } = geqrf(matrix);
  return orgqr(a, tau).mul(a.diagonal(0, -2, -1).sign().unsqueeze(-2));
}

class Orthogonal extends Module implements Parametrization {
  readonly map: OrthogonalMap;
  /** What the learned matrix is multiplied by. @shape [..., n, n] */
  base: Tensor | null = null;
  readonly rightInverse?: (x: Tensor) => Tensor;

  constructor(map: OrthogonalMap, useTrivialization: boolean) {
    super();
    this.map = map;
    if (useTrivialization) {
      this.registerBuffer('base', null);
      this.rightInverse = (x) => this.#rebase(x);
    } else if (map === 'householder') this.rightInverse = reflectionsOf;
  }

  forward(original: Tensor): Tensor {
    return asTall(original, (x) => {
      const q = maps[this.map](x);
      return this.base === null ? q : this.base.matmul(q);
    });
  }

  /** Takes the orthogonal matrix next to x as the base; the original that leaves it as it is. */
  #rebase(x: Tensor): Tensor {
    asTall(x, (matrix) => {
      const [n, k] = matrix.shape.slice(-2) as [number, number];
      if (n === k) this.base = keep(isOrthogonal(matrix) ? matrix.clone() : orthogonalFactor(matrix));
      else {
        const further = randn([...matrix.shape.slice(0, -1), n - k], { dtype: x.dtype as 'float32' });
        this.base = keep(orthogonalFactor(cat([matrix, further], -1)));
      }
      return matrix;
    });
    const [rows, columns] = x.shape.slice(-2) as [number, number];
    return eye(rows, columns, { dtype: x.dtype as 'float32' }).neg().expand(x.shape).clone();
  }
}

/** Reflections and signs whose product has the columns of x, made orthogonal. */
function reflectionsOf(x: Tensor): Tensor {
  return asTall(x, (matrix) => {
    const { a, tau } = geqrf(matrix);
    // A column that needs no reflection has a factor of 0, where the map has one that turns it round.
    const signs = a.diagonal(0, -2, -1).sign().mul(tau.eq(0).to(tau.dtype).mul(-2).add(1));
    a.diagonal(0, -2, -1).copy_(signs);
    return a;
  });
}

/** Whether the columns are orthogonal and of length 1, but for rounding. */
function isOrthogonal(matrix: Tensor): boolean {
  const n = matrix.shape.at(-2)!;
  const epsilon = matrix.dtype === 'float64' ? 2 ** -52 : 2 ** -23;
  const identity = eye(n, n, { dtype: matrix.dtype as 'float32' });
  const excess = matrix.mT.matmul(matrix).sub(identity).abs().sub(identity.mul(1e-5));
  return excess.max().item() <= 10 * n * epsilon;
}

/** Runs a function of matrices with at least as many rows as columns on any: wide ones are transposed. */
function asTall(x: Tensor, body: (tall: Tensor) => Tensor): Tensor {
  const isWide = x.shape.at(-2)! < x.shape.at(-1)!;
  return isWide ? body(x.mT).mT : body(x);
}

/**
 * Keeps a matrix, or each of several, orthogonal: its columns, or its rows if there are fewer of them, stay orthogonal
 * and of length 1 whatever is learned. What is learned is `parametrizations.weight.original`.
 * @shape [..., n, k]
 * @returns the module
 * @throws ValueError without such a parameter; ShapeError when it has fewer than 2 dimensions
 * @example
 * const layer = nn.utils.parametrizations.orthogonal(new nn.Linear(2, 3));
 * const products = layer.weight.mT.matmul(layer.weight);
 * console.log(products.sub(tg.eye(2)).abs().max().item() < 1e-6); // → true
 * @source torch.nn.utils.parametrizations.orthogonal (Lezcano Casado & Martínez Rubio 2019)
 */
export function orthogonal<T extends Module>(module: T, options: OrthogonalOptions = {}): T {
  const op = 'orthogonal';
  requireOptions(op, options, ['name', 'orthogonalMap', 'useTrivialization']);
  const { name = 'weight', useTrivialization = true } = options;
  const weight = (module as unknown as Record<string, Tensor | null | undefined>)[name];
  if (weight === undefined || weight === null) {
    throw new ValueError(`${op}: ${module.constructor.name} has no parameter '${name}'`, { op, argument: 'name' });
  }
  if (weight.ndim < 2) {
    throw new ShapeError(`${op}: '${name}' must be a matrix or several, got [${weight.shape.join(', ')}]`, { op, shapes: [weight.shape] });
  }
  const map = options.orthogonalMap ?? (weight.shape.at(-2) === weight.shape.at(-1) ? 'matrix_exp' : 'householder');
  requireOneOf(op, 'orthogonalMap', map, ['matrix_exp', 'cayley', 'householder']);
  return registerParametrization(module, name, new Orthogonal(map, useTrivialization), { unsafe: true });
}
