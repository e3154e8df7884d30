import {
  Function as CustomFunction,
  isGradEnabled,
  Tensor,
  ValueError,
  type FunctionContext,
} from '@tapegrad/core';
import type { Module } from './module.ts';

/** Gradients of the arguments or outputs of a module; null for what is no tensor or got none. */
export type ModuleGradients = readonly (Tensor | null)[];

/** Called when the gradients of a module's arguments are known; may return others to go on with. */
export type BackwardHook = (
  module: Module,
  gradInputs: ModuleGradients,
  gradOutputs: ModuleGradients,
) => ModuleGradients | null | undefined | void;

/** Called when the gradients of a module's outputs are known; may return others to go on with. */
export type BackwardPreHook = (
  module: Module,
  gradOutputs: ModuleGradients,
) => ModuleGradients | null | undefined | void;

/** Passes tensors on, so that there is one node for all arguments, or all outputs, of a call. */
class ModuleBoundary extends CustomFunction {
  static forward(_: FunctionContext, ...tensors: Tensor[]): Tensor[] {
    return tensors;
  }

  static backward(_: FunctionContext, ...gradients: Tensor[]): Tensor[] {
    return gradients;
  }
}

/**
 * The tensors among some values behind a boundary, with the places they have; null when nothing is recorded.
 */
function bounded(
  values: readonly unknown[],
): { values: unknown[]; places: number[]; tensors: Tensor[] } | null {
  const places = values.flatMap((value, i) => (value instanceof Tensor ? [i] : []));
  const inner = places.map((i) => values[i] as Tensor);
  if (!isGradEnabled() || !inner.some((tensor) => tensor.requiresGrad)) return null;
  const tensors = ModuleBoundary.apply(...inner);
  const passed = [...values];
  places.forEach((place, k) => (passed[place] = tensors[k]));
  return { values: passed, places, tensors };
}

/** Gradients of a node spread over all values, and back. */
function spread(gradients: ModuleGradients, places: readonly number[], count: number): (Tensor | null)[] {
  const all = new Array<Tensor | null>(count).fill(null);
  places.forEach((place, k) => (all[place] = gradients[k] ?? null));
  return all;
}

function replaced(what: string, given: unknown, count: number): ModuleGradients | null {
  if (given === null || given === undefined) return null;
  if (Array.isArray(given) && given.length === count) return given as ModuleGradients;
  throw new ValueError(
    `${what}: a hook must return an array of ${count} gradients (null for none) or nothing, got ` +
      (Array.isArray(given) ? `${given.length} of them` : typeof given),
  );
}

/** The arguments and outputs of one call, watched by hooks on the way back. */
export class BackwardWatch {
  readonly #module: Module;
  readonly #pre: readonly BackwardPreHook[];
  readonly #post: readonly BackwardHook[];
  #argumentCount = 0;
  #watchesInputs = false;
  #gradOutputs: ModuleGradients = [];

  constructor(module: Module, pre: readonly BackwardPreHook[], post: readonly BackwardHook[]) {
    this.#module = module;
    this.#pre = pre;
    this.#post = post;
  }

  /** The arguments to call `forward` with. */
  enter(args: unknown[]): unknown[] {
    this.#argumentCount = args.length;
    const boundary = this.#post.length === 0 ? null : bounded(args);
    if (boundary === null) return args;
    this.#watchesInputs = true;
    const { values, places, tensors } = boundary;
    tensors
      .find((tensor) => tensor.requiresGrad)!
      .gradFn!.registerHook((gradients) => {
        const changed = this.#runPost(spread(gradients, places, args.length));
        return changed === null ? undefined : places.map((place) => changed[place] ?? null);
      });
    return values;
  }

  /** The output to give to the caller. */
  leave(output: unknown): unknown {
    const outputs: readonly unknown[] = Array.isArray(output) ? output : [output];
    const boundary = bounded(outputs);
    if (boundary === null) return output;
    const { values, places, tensors } = boundary;
    tensors
      .find((tensor) => tensor.requiresGrad)!
      .gradFn!.registerPrehook((gradients) => {
        const changed = this.#runPre(spread(gradients, places, outputs.length));
        this.#gradOutputs = changed;
        if (!this.#watchesInputs) this.#runPost(new Array<null>(this.#argumentCount).fill(null));
        return places.map((place) => changed[place] ?? null);
      });
    return Array.isArray(output) ? values : values[0];
  }

  #runPre(gradients: ModuleGradients): ModuleGradients {
    let current = gradients;
    for (const hook of this.#pre) {
      current =
        replaced('registerFullBackwardPreHook', hook(this.#module, current), current.length) ?? current;
    }
    return current;
  }

  /** What the hooks made of the gradients, null if none changed them. */
  #runPost(gradients: ModuleGradients): ModuleGradients | null {
    let current: ModuleGradients | null = null;
    for (const hook of this.#post) {
      const given = hook(this.#module, current ?? gradients, this.#gradOutputs);
      current = replaced('registerFullBackwardHook', given, gradients.length) ?? current;
    }
    return current;
  }
}
