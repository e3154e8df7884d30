import { backward } from './autodiff/backward.ts';
import { registerHook, registerPostAccumulateGradHook, retainGrad } from './autodiff/hooks.ts';
import * as aliases from './aliases.ts';
import { ShapeError, ValueError } from './errors.ts';
import * as activation from './ops/activation.ts';
import * as arithmetic from './ops/arithmetic.ts';
import { diff } from './ops/calculus.ts';
import * as comparison from './ops/comparison.ts';
import * as complex from './ops/complex.ts';
import * as conversion from './ops/conversion.ts';
import * as covariance from './ops/covariance.ts';
import * as diagonal from './ops/diagonal.ts';
import * as exponential from './ops/exponential.ts';
import * as extrema from './ops/extrema.ts';
import * as flatIndexing from './ops/flat-indexing.ts';
import * as gamma from './ops/gamma.ts';
import { bincount, histc, histogram } from './ops/histogram.ts';
import * as indexing from './ops/indexing.ts';
import * as integer from './ops/integer.ts';
import { chunk, split, unbind } from './ops/joining.ts';
import * as matrix from './ops/matrix.ts';
import * as movement from './ops/movement.ts';
import * as norm from './ops/norm.ts';
import * as order from './ops/order.ts';
import * as product from './ops/product.ts';
import * as reduction from './ops/reduction.ts';
import * as reordering from './ops/reordering.ts';
import * as repetition from './ops/repetition.ts';
import * as replacement from './ops/replacement.ts';
import * as representation from './ops/representation.ts';
import * as rounding from './ops/rounding.ts';
import * as scan from './ops/scan.ts';
import * as scatterReduction from './ops/scatter-reduction.ts';
import { unique, uniqueConsecutive } from './ops/search.ts';
import * as sliding from './ops/sliding.ts';
import * as softmax from './ops/softmax.ts';
import * as splitting from './ops/splitting.ts';
import * as statistics from './ops/statistics.ts';
import * as strided from './ops/strided.ts';
import * as subscript from './ops/subscript.ts';
import * as triangle from './ops/triangle.ts';
import * as trigonometric from './ops/trigonometric.ts';
import { toNdarray } from './ndarray-view.ts';
import { bernoulli_, exponential_, normal_, random_, uniform_ } from './random.ts';
import { shapeString } from './shape.ts';
import { Tensor } from './tensor.ts';

/** Families of operations whose first argument becomes `this`. */
const families = [
  activation, aliases, arithmetic, comparison, complex, conversion, covariance, diagonal, exponential, extrema,
  flatIndexing, gamma, indexing, integer, matrix, movement, norm, order, product, reduction, reordering, repetition,
  replacement, representation, rounding, scan, scatterReduction, sliding, softmax, splitting, statistics, strided,
  subscript, triangle, trigonometric,
] as const;
type Families =
  & Omit<typeof extrema, 'max' | 'min'> & Omit<typeof order, 'median' | 'nanmedian'>
  & typeof activation & typeof aliases & typeof arithmetic & typeof comparison & typeof complex & typeof conversion
  & typeof covariance & typeof diagonal & typeof exponential & typeof flatIndexing & typeof gamma & typeof indexing
  & typeof integer & typeof matrix & typeof movement & typeof norm & typeof product & typeof reduction
  & typeof reordering & typeof repetition & typeof replacement & typeof representation & typeof rounding & typeof scan
  & typeof scatterReduction & typeof sliding & typeof softmax & typeof splitting & typeof statistics & typeof strided
  & typeof subscript & typeof triangle & typeof trigonometric;

const engine: {
  readonly backward: typeof backward;
  readonly registerHook: typeof registerHook;
  readonly registerPostAccumulateGradHook: typeof registerPostAccumulateGradHook;
  readonly retainGrad: typeof retainGrad;
  readonly toNdarray: typeof toNdarray;
} = { backward, registerHook, registerPostAccumulateGradHook, retainGrad, toNdarray };
const drawing: {
  readonly bernoulli_: typeof bernoulli_;
  readonly exponential_: typeof exponential_;
  readonly normal_: typeof normal_;
  readonly random_: typeof random_;
  readonly uniform_: typeof uniform_;
} = { bernoulli_, exponential_, normal_, random_, uniform_ };

/** Of families that hold functions too, what is a method. */
const chosen: {
  readonly bincount: typeof bincount;
  readonly chunk: typeof chunk;
  readonly diff: typeof diff;
  readonly histc: typeof histc;
  readonly histogram: typeof histogram;
  readonly split: typeof split;
  readonly unbind: typeof unbind;
  readonly unique: typeof unique;
  readonly uniqueConsecutive: typeof uniqueConsecutive;
} = { bincount, chunk, diff, histc, histogram, split, unbind, unique, uniqueConsecutive };

type Rest<A> = A extends [unknown, ...infer P] ? P : never;
type Method<F> = F extends (...args: infer A) => infer R ? (...rest: Rest<A>) => R : never;

/** The operations as methods of Tensor: the first argument is the tensor itself. */
export type TensorMethods = { [K in keyof Families]: Method<Families[K]> } & {
  /** The same operation with this tensor as the place of the result. */
  [K in keyof Families as Families[K] extends { inPlace: unknown } ? `${K}_` : never]: Families[K] extends {
    inPlace: infer F;
  }
    ? Method<F>
    : never;
} & { [K in keyof typeof engine]: Method<(typeof engine)[K]> } & {
  [K in keyof typeof drawing]: Method<(typeof drawing)[K]>;
} & { [K in keyof typeof chosen]: Method<(typeof chosen)[K]> };

declare module './tensor.ts' {
  interface Tensor extends TensorMethods {
    /** The tensor with its dimensions in reverse order; the transpose of a matrix. */
    readonly T: Tensor;
    /** The transposes of the matrices in the last two dimensions. */
    readonly mT: Tensor;
    /** The transpose of a matrix; elements that are not complex have no conjugate. */
    readonly H: Tensor;
    /** As `mT`. */
    readonly mH: Tensor;
    readonly max: extrema.ExtremumMethod;
    readonly min: extrema.ExtremumMethod;
    readonly median: order.MedianMethod;
    readonly nanmedian: order.MedianMethod;
  }
}

type AnyOperation = (x: Tensor, ...rest: unknown[]) => unknown;

function asMethod(name: string, operation: AnyOperation): (this: Tensor, ...rest: unknown[]) => unknown {
  // A method is called for every operation; arguments passed one by one cost less than a list of them.
  return function (this: Tensor, a?: unknown, b?: unknown, ...rest: unknown[]): unknown {
    if (!(this instanceof Tensor)) throw withoutTensor(name, this);
    switch (arguments.length) {
      case 0:
        return operation(this);
      case 1:
        return operation(this, a);
      case 2:
        return operation(this, a, b);
      default:
        return operation(this, a, b, ...rest);
    }
  };
}

function withoutTensor(name: string, receiver: unknown): ValueError {
  return new ValueError(
    `${name}: the method was called on ${receiver === null ? 'null' : typeof receiver}, not on a tensor. Call it as ` +
      `x.${name}(…), and pass it on as (…) => x.${name}(…)`,
    { op: name },
  );
}

function define(name: string | symbol, operation: AnyOperation): void {
  Object.defineProperty(Tensor.prototype, name, { value: asMethod(String(name), operation), configurable: true, writable: true });
}

function transposed(x: Tensor): Tensor {
  if (x.ndim >= 2) return x.transpose(-2, -1);
  if (x.ndim === 0) return x;
  throw new ShapeError(
    `mT: the tensor must have at least 2 dimensions, got ${shapeString(x.shape)}`,
    { op: 'mT', shapes: [x.shape] },
  );
}

/** Makes every operation a method of Tensor. Called once, by the package's entry. */
export function installMethods(): void {
  for (const family of [...families, engine, drawing, chosen]) {
    for (const [name, operation] of Object.entries(family)) {
      if (typeof operation !== 'function') continue;
      define(name, operation as unknown as AnyOperation);
      const { inPlace } = operation as { inPlace?: AnyOperation };
      if (inPlace !== undefined) define(`${name}_`, inPlace);
    }
  }
  // What console.log shows in Node.
  define(Symbol.for('nodejs.util.inspect.custom'), (x) => x.toString());
  Object.defineProperties(Tensor.prototype, {
    T: {
      get(this: Tensor) {
        return this.permute(this.shape.map((_, d) => this.ndim - 1 - d));
      },
    },
    mT: {
      get(this: Tensor) {
        return transposed(this);
      },
    },
    mH: {
      get(this: Tensor) {
        return transposed(this);
      },
    },
    H: {
      get(this: Tensor) {
        if (this.ndim === 0 || this.ndim === 2) return this.T;
        throw new ShapeError(`H: expected a matrix, got ${shapeString(this.shape)}; for a batch of matrices use mH`, { op: 'H' });
      },
    },
  });
}
