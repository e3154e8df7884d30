import { requireOptions, ValueError, type RemovableHandle } from '@tapegrad/core';
import type { Optimizer, OptimizerStateDict } from './optimizer.ts';

/** An optimizer with any options. */
export type AnyOptimizer = Optimizer<any>; // any: option sets differ

/**
 * Called before a step with what `step` was given, a closure or nothing; may return other arguments for it, as an array.
 */
export type StepPreHook = (optimizer: AnyOptimizer, args: readonly unknown[]) => readonly unknown[] | void;

/** Called after a step with what `step` was given. */
export type StepPostHook = (optimizer: AnyOptimizer, args: readonly unknown[]) => void;

/** Called before `stateDict`, or after `loadStateDict`. */
export type StateHook = (optimizer: AnyOptimizer) => void;

/** Called with the result of `stateDict`, or with what `loadStateDict` is given; may return another dict. */
export type StateDictHook = (optimizer: AnyOptimizer, dict: OptimizerStateDict) => OptimizerStateDict | void;

/** Options of a hook's registration. */
export interface HookOptions {
  /** Run it before the hooks that are already there; default false. */
  prepend?: boolean;
}

/** Hooks in the order in which they run. A hook may be there twice; each handle removes one of them. */
export class HookList<Hook> implements Iterable<Hook> {
  private entries: readonly { readonly hook: Hook }[] = [];

  add(hook: Hook, options: HookOptions = {}): RemovableHandle {
    requireOptions('hooks', options, ['prepend']);
    if (typeof hook !== 'function') throw new ValueError(`a hook must be a function, got ${String(hook)}`);
    const entry = { hook };
    this.entries = options.prepend ? [entry, ...this.entries] : [...this.entries, entry];
    const remove = (): void => {
      this.entries = this.entries.filter((other) => other !== entry);
    };
    return { remove, [Symbol.dispose]: remove };
  }

  /** The hooks that are there when it begins. */
  *[Symbol.iterator](): Iterator<Hook> {
    for (const { hook } of this.entries) yield hook;
  }
}

/** The hooks of an optimizer. */
export class Hooks {
  readonly stepPre: HookList<StepPreHook> = new HookList();
  readonly stepPost: HookList<StepPostHook> = new HookList();
  readonly stateDictPre: HookList<StateHook> = new HookList();
  readonly stateDictPost: HookList<StateDictHook> = new HookList();
  readonly loadPre: HookList<StateDictHook> = new HookList();
  readonly loadPost: HookList<StateHook> = new HookList();
}

const globalPre: HookList<StepPreHook> = new HookList();
const globalPost: HookList<StepPostHook> = new HookList();

/**
 * Registers a hook that runs before each step of every optimizer, before their own hooks.
 * @source torch.optim.optimizer.register_optimizer_step_pre_hook
 */
export function registerOptimizerStepPreHook(hook: StepPreHook): RemovableHandle {
  return globalPre.add(hook);
}

/**
 * Registers a hook that runs after each step of every optimizer, after their own hooks.
 * @source torch.optim.optimizer.register_optimizer_step_post_hook
 */
export function registerOptimizerStepPostHook(hook: StepPostHook): RemovableHandle {
  return globalPost.add(hook);
}

/** Runs a step with the hooks around it. @throws ValueError when a hook returns something else than arguments */
export function withStepHooks<T>(optimizer: AnyOptimizer, { stepPre, stepPost }: Hooks, given: readonly unknown[], step: (args: readonly unknown[]) => T): T {
  let args = given;
  for (const hook of [...globalPre, ...stepPre]) {
    const other = hook(optimizer, args);
    if (other !== undefined && !Array.isArray(other)) {
      throw new ValueError(`a hook before a step must return nothing or an array of arguments, got ${String(other)}`);
    }
    args = other ?? args;
  }
  const result = step(args);
  for (const hook of [...stepPost, ...globalPost]) hook(optimizer, args);
  return result;
}

/** A state dict as hooks leave it. */
export function throughHooks(optimizer: AnyOptimizer, hooks: HookList<StateDictHook>, dict: OptimizerStateDict): OptimizerStateDict {
  let result = dict;
  for (const hook of hooks) result = hook(optimizer, result) ?? result;
  return result;
}
