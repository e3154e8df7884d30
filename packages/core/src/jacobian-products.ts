import { grad as gradOf } from './autodiff/backward.ts';
import { DTypeError, GradError, ShapeError } from './errors.ts';
import { variables } from './jacobian.ts';
import { enableGrad, isGradEnabled } from './modes.ts';
import { sameShape, shapeString } from './shape.ts';
import type { Node } from './tape.ts';
import { Tensor } from './tensor.ts';

/** What a function of tensors may give: one, or a list. */
export type Results = Tensor | readonly Tensor[];

function listOf(name: string, results: Results): readonly Tensor[] {
  const list = results instanceof Tensor ? [results] : results;
  if (Array.isArray(list) && list.length > 0 && list.every((x) => x instanceof Tensor)) return list;
  throw new GradError(`${name}: the function must give a tensor or an array of tensors`, { op: name });
}

/** Puts a list back into the form of what a function gave. */
function like<R extends Results>(results: R, list: readonly Tensor[]): R {
  return (results instanceof Tensor ? list[0]! : list) as R;
}

function checkAlike(name: string, what: string, given: readonly Tensor[], like: readonly Tensor[]): void {
  if (!Array.isArray(given) || !Array.isArray(like)) {
    throw new GradError(`${name}: tensors and their ${what}s go in arrays, as in ${name}(fn, [x], [v])`, { op: name });
  }
  if (given.length !== like.length) {
    throw new ShapeError(`${name}: ${given.length} ${what}s were given for ${like.length} tensors`, { op: name, argument: `${what}s` });
  }
  given.forEach((x, i) => {
    if (!(x instanceof Tensor)) throw new GradError(`${name}: ${what} ${i} is not a Tensor`, { op: name });
    if (!sameShape(x.shape, like[i]!.shape)) {
      throw new ShapeError(
        `${name}: ${what} ${i} has shape ${shapeString(x.shape)}, but its tensor has ${shapeString(like[i]!.shape)}`,
        { op: name, argument: `${what}s[${i}]`, shapes: [x.shape, like[i]!.shape] },
      );
    }
    if (x.dtype !== like[i]!.dtype) {
      throw new DTypeError(`${name}: ${what} ${i} is ${x.dtype}, but its tensor is ${like[i]!.dtype}`, { op: name });
    }
  });
}

/** Whether values depend on any leaf beside the given ones, so that somebody outside may want to differentiate them. */
export function reachesBeyond(values: readonly Tensor[], inputs: readonly Tensor[]): boolean {
  const own = new Set(inputs.map((x) => x.edge()));
  const seen = new Set<Node>();
  const waiting = values.map((value) => value.edge()).filter((node) => node !== null);
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    // A stand-in that continues a graph is no leaf: what it continues lies beyond.
    if (node.inputs.length === 0 && !own.has(node)) return true;
    for (const next of node.inputs) if (next !== null) waiting.push(next);
  }
  return false;
}

const detached = (list: readonly Tensor[]): Tensor[] => list.map((x) => x.detach());

/**
 * The value of `fn`, and the function that takes cotangents of the results (one each, of their shapes) to those of the
 * arguments: vᵀJ. It may be called any number of times.
 * @throws GradError when `fn` does not give tensors; ShapeError when a cotangent does not have the shape of its result
 * @example
 * const [y, pull] = tg.func.vjp((x: tg.Tensor) => x.mul(x), tg.tensor([1, 2]));
 * console.log(pull(tg.tensor([3, 4]))[0].toArray()); // → [ 6, 16 ]
 * @source torch.func.vjp
 */
export function vjp<A extends Tensor[], R extends Results>(fn: (...x: A) => R, ...primals: A): [value: R, pullBack: (...cotangents: Tensor[]) => Tensor[]] {
  const recording = isGradEnabled();
  return enableGrad(() => {
    const inputs = variables(primals, recording);
    const results = fn(...(inputs as A));
    const outputs = listOf('vjp', results);
    const beyond = recording && reachesBeyond(outputs, inputs);
    const pullBack = (...cotangents: Tensor[]): Tensor[] => {
      checkAlike('vjp', 'cotangent', cotangents, outputs);
      const createGraph = isGradEnabled() && (beyond || cotangents.some((v) => v.requiresGrad));
      const reached = outputs.map((_, o) => o).filter((o) => outputs[o]!.requiresGrad);
      if (reached.length === 0) return inputs.map((x) => x.detach().zerosLike());
      return gradOf(reached.map((o) => outputs[o]!), inputs, {
        gradOutputs: reached.map((o) => cotangents[o]!),
        retainGraph: true,
        createGraph,
        materializeGrads: true,
      });
    };
    return [like(results, beyond ? outputs : detached(outputs)), pullBack];
  });
}

/**
 * The value of `fn`, and the linear function that takes tangents of the arguments to those of the results: Jv. It may be
 * called any number of times; each call is one walk over the graph.
 * @numerics Jv is found as the derivative by u of uᵀJ, which is linear in u; so it is as exact as a gradient, and every operation that
 * has gradients of gradients has it.
 * @throws GradError when `fn` does not give tensors; ShapeError when a tangent does not have the shape of its argument
 * @source torch.func.linearize
 */
export function linearize<A extends Tensor[], R extends Results>(fn: (...x: A) => R, ...primals: A): [value: R, push: (...tangents: A) => R] {
  const recording = isGradEnabled();
  return enableGrad(() => {
    const inputs = variables(primals, recording);
    const results = fn(...(inputs as A));
    const outputs = listOf('jvp', results);
    const beyond = recording && reachesBeyond(outputs, inputs);
    const seeds = outputs.map((y) => y.detach().zerosLike().requiresGrad_());
    const reached = outputs.map((_, o) => o).filter((o) => outputs[o]!.requiresGrad);
    const pulled = reached.length === 0 ? [] : gradOf(reached.map((o) => outputs[o]!), inputs, {
      gradOutputs: reached.map((o) => seeds[o]!),
      createGraph: true,
      allowUnused: true,
    });
    const push = (...tangents: A): R => {
      checkAlike('jvp', 'tangent', tangents, primals);
      const used = pulled.map((_, i) => i).filter((i) => pulled[i]?.requiresGrad === true);
      const createGraph = isGradEnabled() && (beyond || tangents.some((v) => v.requiresGrad));
      const pushed = used.length === 0 ? seeds.map((u) => u.detach().zerosLike()) : gradOf(used.map((i) => pulled[i]!), seeds, {
        gradOutputs: used.map((i) => tangents[i]!),
        retainGraph: true,
        createGraph,
        materializeGrads: true,
      });
      return like(results, pushed);
    };
    return [like(results, beyond ? outputs : detached(outputs)), push];
  });
}

/**
 * The value of `fn` and its directional derivative Jv. Inside a gradient it is differentiated like anything else, and of a
 * gradient it is a product with the Hessian.
 * @param tangents one for each argument, of its shape
 * @throws GradError when `fn` does not give tensors; ShapeError when a tangent does not have the shape of its argument
 * @example
 * const [y, dy] = tg.func.jvp((x: tg.Tensor) => x.mul(x), [tg.tensor([1, 2])], [tg.tensor([3, 4])]);
 * console.log(dy.toArray()); // → [ 6, 16 ]
 * @source torch.func.jvp
 */
export function jvp<A extends Tensor[], R extends Results>(fn: (...x: A) => R, primals: A, tangents: A): [value: R, tangent: R] {
  checkAlike('jvp', 'tangent', tangents, primals);
  const [value, push] = linearize(fn, ...primals);
  return [value, push(...tangents)];
}

/**
 * The value of a function that gives one number, and the product of its Hessian with a vector, without the Hessian.
 * @throws GradError when `fn` does not give one number; ShapeError when a vector does not have the shape of its argument
 * @example
 * const [, Hv] = tg.func.hvp((x: tg.Tensor) => x.pow(3).sum(), [tg.tensor([1, 2])], [tg.tensor([1, 1])]);
 * console.log(Hv[0].toArray()); // → [ 6, 12 ]
 * @source torch.autograd.functional.hvp
 */
export function hvp<A extends Tensor[]>(fn: (...x: A) => Tensor, primals: A, vectors: A): [value: Tensor, product: Tensor[]] {
  let value: Tensor | null = null;
  const gradient = (...inputs: A): readonly Tensor[] => {
    const [y, pull] = vjp(fn, ...inputs);
    if (y.numel() !== 1) throw new GradError(`hvp: the function must give one number, got a tensor of shape ${shapeString(y.shape)}`);
    value = y.detach();
    return pull(y.detach().onesLike());
  };
  const [, product] = jvp(gradient, primals, vectors);
  return [value!, [...product]];
}
