import { grad as gradOf } from './autodiff/backward.ts';
import { GradError } from './errors.ts';
import { variables } from './jacobian.ts';
import { enableGrad, isGradEnabled } from './modes.ts';
import { shapeString } from './shape.ts';
import type { Node } from './tape.ts';
import { Tensor } from './tensor.ts';

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
  options: TransformOptions<N> = {},
): (...args: A) => Gradients<N> {
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
  options: TransformOptions<N> = {},
): (...args: A) => [gradient: Gradients<N>, value: Tensor] {
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
      const createGraph = recording && reachesBeyond(value, inputs);
      const gradients = value.requiresGrad
        ? gradOf(value, inputs, { createGraph, retainGraph: createGraph, materializeGrads: true })
        : inputs.map((x) => x.detach().zerosLike());
      const result = typeof argnums === 'number' ? gradients[0]! : gradients;
      return [result as Gradients<N>, createGraph ? value : value.detach()];
    });
  };
}

/** Whether a value depends on any leaf beside the given ones. */
function reachesBeyond(value: Tensor, inputs: readonly Tensor[]): boolean {
  const own = new Set(inputs.map((x) => x.edge()));
  const start = value.edge();
  const seen = new Set<Node>();
  const waiting = start === null ? [] : [start];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    // A stand-in that continues a graph is no leaf: what it continues lies beyond.
    if (node.inputs.length === 0 && !own.has(node)) return true;
    for (const next of node.inputs) if (next !== null) waiting.push(next);
  }
  return false;
}
