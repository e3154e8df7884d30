import { grad as gradOf } from './autodiff/backward.ts';
import { GradError } from './errors.ts';
import { linearize, reachesBeyond, vjp } from './jacobian-products.ts';
import { variables } from './jacobian.ts';
import { enableGrad, isGradEnabled } from './modes.ts';
import { stack } from './ops/joining.ts';
import { checkOptions, none } from './option-names.ts';
import { shapeString } from './shape.ts';
import { Tensor } from './tensor.ts';

export { hvp, jvp, linearize, vjp, type Results } from './jacobian-products.ts';
export { vmap, type InDims, type VmapOptions } from './vmap.ts';

/** One gradient, or a list of them for a list of arguments. */
export type Gradients<N> = N extends readonly number[] ? { -readonly [K in keyof N]: Tensor } : Tensor;

/** Options of the function transforms. */
export interface TransformOptions<N extends number | readonly number[] = number> {
  /** Which argument to differentiate by (default 0); a list gives a list of gradients. */
  argnums?: N;
}

/**
 * The function that gives the gradient of `fn`, whose value must be one number. Nests: the gradient of a gradient is
 * the second derivative.
 * @throws GradError when `fn` does not give one number, or the argument is not a tensor
 * @example
 * const third = tg.func.grad((x: tg.Tensor) => tg.func.grad((y: tg.Tensor) => y.pow(3))(x));
 * console.log(third(tg.tensor(2)).item()); // → 12
 * @source torch.func.grad
 */
export function grad<A extends unknown[], const N extends number | readonly number[] = number>(
  fn: (...args: A) => Tensor,
  options: TransformOptions<N> = none,
): (...args: A) => Gradients<N> {
  checkOptions('grad', options, { argnums: 1 });
  const both = gradAndValue(fn, options);
  return (...args) => both(...args)[0];
}

/**
 * As `grad`, with the value of `fn` beside the gradient.
 * @throws GradError as `grad`
 * @example
 * const [slope, value] = tg.func.gradAndValue((x: tg.Tensor) => x.mul(x))(tg.tensor(3));
 * console.log(slope.item(), value.item()); // → 6 9
 * @source torch.func.grad_and_value
 */
export function gradAndValue<A extends unknown[], const N extends number | readonly number[] = number>(
  fn: (...args: A) => Tensor,
  options: TransformOptions<N> = none,
): (...args: A) => [gradient: Gradients<N>, value: Tensor] {
  checkOptions('gradAndValue', options, { argnums: 1 });
  const { argnums = 0 } = options as TransformOptions<number | readonly number[]>;
  const positions = typeof argnums === 'number' ? [argnums] : argnums;
  return (...args) => {
    const recording = isGradEnabled();
    return enableGrad(() => {
      const chosen = positions.map((n) => {
        const x = args.at(n);
        if (!(x instanceof Tensor)) throw new GradError(`grad: argument ${n} of the function is not a Tensor`);
        return x;
      });
      const inputs = variables(chosen, recording);
      const all = [...args] as A;
      positions.forEach((n, i) => (all[n < 0 ? n + all.length : n] = inputs[i]));
      const value = fn(...all);
      if (!(value instanceof Tensor) || value.numel() !== 1) {
        const got = value instanceof Tensor ? `a tensor of shape ${shapeString(value.shape)}` : typeof value;
        throw new GradError(`grad: the function must give one number, got ${got}`);
      }
      // Recorded only if somebody outside may want to differentiate it.
      const createGraph = recording && reachesBeyond([value], inputs);
      const gradients = value.requiresGrad
        ? gradOf(value, inputs, { createGraph, retainGraph: createGraph, materializeGrads: true })
        : inputs.map((x) => x.detach().zerosLike());
      const result = typeof argnums === 'number' ? gradients[0]! : gradients;
      return [result as Gradients<N>, createGraph ? value : value.detach()];
    });
  };
}

/** The chosen argument in place of all. */
function ofOne<A extends unknown[], R>(name: string, fn: (...args: A) => R, args: A, argnum: number): { alone: (x: Tensor) => R; x: Tensor } {
  const n = argnum < 0 ? argnum + args.length : argnum;
  const x = args[n];
  if (!(x instanceof Tensor)) throw new GradError(`${name}: argument ${argnum} of the function is not a Tensor`);
  return { alone: (y) => fn(...(args.with(n, y) as A)), x };
}

/** Tensors like x that are 1 at one element each. */
function unitVectors(x: Tensor): Tensor[] {
  return Array.from({ length: x.numel() }, (_, k) => {
    const unit = x.detach().newZeros([x.numel()]);
    unit.select(0, k).fill_(1);
    return unit.reshape(x.shape);
  });
}

/** Rows (dim 0) or columns (dim −1) of a Jacobian as one tensor. */
function stacked(parts: readonly Tensor[], dim: number, value: Tensor, x: Tensor): Tensor {
  const shape = [...value.shape, ...x.shape];
  return parts.length === 0 ? value.detach().newZeros(shape) : stack(parts, dim).reshape(shape);
}

/** Which argument a Jacobian is taken by. */
export interface ArgumentOption {
  /** Position of the argument; default 0. */
  argnum?: number;
}

/**
 * The function that gives the Jacobian of `fn` by one argument, row by row: for few results of many arguments.
 * @shape out.shape followed by in.shape
 * @throws GradError when the argument is not a tensor
 * @example
 * const J = tg.func.jacrev((x: tg.Tensor) => x.mul(x))(tg.tensor([1, 2]));
 * console.log(J.toArray()); // → [ [ 2, 0 ], [ 0, 4 ] ]
 * @source torch.func.jacrev
 */
export function jacrev<A extends unknown[]>(fn: (...args: A) => Tensor, options: ArgumentOption = none): (...args: A) => Tensor {
  checkOptions('jacrev', options, { argnum: 1 });
  const { argnum = 0 } = options;
  return (...args) => {
    const { alone, x } = ofOne('jacrev', fn, args, argnum);
    const [value, pull] = vjp(alone, x);
    return stacked(unitVectors(value).map((v) => pull(v)[0]!), 0, value, x);
  };
}

/**
 * The same Jacobian column by column: for many results of few arguments.
 * @throws GradError when the argument is not a tensor
 * @source torch.func.jacfwd
 */
export function jacfwd<A extends unknown[]>(fn: (...args: A) => Tensor, options: ArgumentOption = none): (...args: A) => Tensor {
  checkOptions('jacfwd', options, { argnum: 1 });
  const { argnum = 0 } = options;
  return (...args) => {
    const { alone, x } = ofOne('jacfwd', fn, args, argnum);
    const [value, push] = linearize(alone, x);
    return stacked(unitVectors(x).map((v) => push(v)), -1, value, x);
  };
}

/**
 * The function that gives the second derivatives of `fn`, whose value must be one number, by one argument.
 * @shape in.shape twice
 * @source torch.func.hessian
 */
export function hessian<A extends unknown[]>(fn: (...args: A) => Tensor, options: ArgumentOption = none): (...args: A) => Tensor {
  checkOptions('hessian', options, { argnum: 1 });
  return jacfwd((...args: A) => grad(fn, { argnums: options.argnum ?? 0 })(...args) as Tensor, options);
}
