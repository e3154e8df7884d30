import { backward } from './autodiff/backward.ts';
import { registerHook, registerPostAccumulateGradHook, retainGrad } from './autodiff/hooks.ts';
import * as activation from './ops/activation.ts';
import * as arithmetic from './ops/arithmetic.ts';
import * as comparison from './ops/comparison.ts';
import * as conversion from './ops/conversion.ts';
import * as exponential from './ops/exponential.ts';
import * as matrix from './ops/matrix.ts';
import * as movement from './ops/movement.ts';
import * as reduction from './ops/reduction.ts';
import * as strided from './ops/strided.ts';
import * as trigonometric from './ops/trigonometric.ts';
import { Tensor } from './tensor.ts';

/** Families of operations whose first argument becomes `this`. */
const families = [
  activation, arithmetic, comparison, conversion, exponential, matrix, movement, reduction, strided, trigonometric,
] as const;
type InPlaceFamilies =
  & typeof activation & typeof arithmetic & typeof comparison & typeof exponential & typeof trigonometric
  & Pick<typeof conversion, 'copy'>;
type Families =
  & Omit<InPlaceFamilies, 'copy'> & typeof conversion & typeof matrix & typeof movement & typeof reduction & typeof strided;

const engine = { backward, registerHook, registerPostAccumulateGradHook, retainGrad };

type Rest<A> = A extends [unknown, ...infer P] ? P : never;
type Method<F> = F extends (...args: infer A) => infer R ? (...rest: Rest<A>) => R : never;

type Methods = { [K in keyof Families]: Method<Families[K]> } & {
  /** The same operation with this tensor as the place of the result. */
  [K in keyof InPlaceFamilies as `${K & string}_`]: InPlaceFamilies[K] extends { inPlace: infer F } ? Method<F> : never;
} & { [K in keyof typeof engine]: Method<(typeof engine)[K]> };

declare module './tensor.ts' {
  interface Tensor extends Methods {
    /** The tensor with its dimensions in reverse order; the transpose of a matrix. */
    readonly T: Tensor;
    /** The transposes of the matrices in the last two dimensions. */
    readonly mT: Tensor;
  }
}

type AnyOperation = (x: Tensor, ...rest: unknown[]) => unknown;

function asMethod(operation: AnyOperation): (this: Tensor, ...rest: unknown[]) => unknown {
  return function (this: Tensor, ...rest: unknown[]): unknown {
    return operation(this, ...rest);
  };
}

function define(name: string, operation: AnyOperation): void {
  Object.defineProperty(Tensor.prototype, name, { value: asMethod(operation), configurable: true, writable: true });
}

/** Makes every operation a method of Tensor. Called once, by the package's entry. */
export function installMethods(): void {
  for (const family of [...families, engine]) {
    for (const [name, operation] of Object.entries(family)) {
      if (typeof operation !== 'function') continue;
      define(name, operation as unknown as AnyOperation);
      const { inPlace } = operation as { inPlace?: AnyOperation };
      if (inPlace !== undefined) define(`${name}_`, inPlace);
    }
  }
  Object.defineProperties(Tensor.prototype, {
    T: {
      get(this: Tensor) {
        return this.permute(this.shape.map((_, d) => this.ndim - 1 - d));
      },
    },
    mT: {
      get(this: Tensor) {
        return this.transpose(-2, -1);
      },
    },
  });
}
