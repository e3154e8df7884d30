import { requireOptions, type RemovableHandle } from '@tapegrad/core';
import { BackwardWatch, type BackwardHook, type BackwardPreHook } from './backward-hooks.ts';
import type { Module } from './module.ts';

/** Called before `forward`; may return other arguments, as an array or, if there is only one, as it is. */
export type ForwardPreHook = (module: Module, args: readonly unknown[]) => unknown;

/** Called after `forward`; may return another output. */
export type ForwardHook = (module: Module, args: readonly unknown[], output: unknown) => unknown;

/** Options of a hook's registration. */
export interface HookOptions {
  /** Run it before the hooks that are already there; default false. */
  prepend?: boolean;
}

/** Options of a forward hook's registration. */
export interface ForwardHookOptions extends HookOptions {
  /** Run it even if `forward` throws, then with an output of undefined; default false. */
  alwaysCall?: boolean;
}

interface AfterHook {
  readonly run: ForwardHook;
  readonly always: boolean;
}

/** Hooks in the order in which they run. */
export class Hooks {
  before: readonly ForwardPreHook[] = [];
  after: readonly AfterHook[] = [];
  backward: readonly BackwardHook[] = [];
  backwardPre: readonly BackwardPreHook[] = [];

  get none(): boolean {
    return this.before.length === 0 && this.after.length === 0;
  }

  addBefore(hook: ForwardPreHook, options: HookOptions): RemovableHandle {
    const prepend = prepends('registerForwardPreHook', options);
    const entry: ForwardPreHook = (module, args) => hook(module, args);
    this.before = prepend ? [entry, ...this.before] : [...this.before, entry];
    return handle(() => (this.before = this.before.filter((other) => other !== entry)));
  }

  addAfter(hook: ForwardHook, options: ForwardHookOptions): RemovableHandle {
    requireOptions('registerForwardHook', options, ['prepend', 'alwaysCall']);
    const { prepend = false, alwaysCall = false } = options;
    const entry = { run: hook, always: alwaysCall };
    this.after = prepend ? [entry, ...this.after] : [...this.after, entry];
    return handle(() => (this.after = this.after.filter((other) => other !== entry)));
  }

  addBackward(hook: BackwardHook, options: HookOptions): RemovableHandle {
    const prepend = prepends('registerFullBackwardHook', options);
    const entry: BackwardHook = (...args) => hook(...args);
    this.backward = prepend ? [entry, ...this.backward] : [...this.backward, entry];
    return handle(() => (this.backward = this.backward.filter((other) => other !== entry)));
  }

  addBackwardPre(hook: BackwardPreHook, options: HookOptions): RemovableHandle {
    const prepend = prepends('registerFullBackwardPreHook', options);
    const entry: BackwardPreHook = (...args) => hook(...args);
    this.backwardPre = prepend ? [entry, ...this.backwardPre] : [...this.backwardPre, entry];
    return handle(() => (this.backwardPre = this.backwardPre.filter((other) => other !== entry)));
  }

  /** What watches one call on the way back, null if nobody asked. */
  watch(module: Module): BackwardWatch | null {
    const none = this.backward.length === 0 && this.backwardPre.length === 0;
    return none ? null : new BackwardWatch(module, this.backwardPre, this.backward);
  }
}

function prepends(owner: string, options: HookOptions): boolean {
  requireOptions(owner, options, ['prepend']);
  return options.prepend ?? false;
}

function handle(remove: () => void): RemovableHandle {
  return { remove, [Symbol.dispose]: remove };
}

/** Hooks of all modules; they run before a module's own. */
export const globalHooks: Hooks = new Hooks();

/**
 * Registers a hook that runs before `forward` of every module.
 * @source torch.nn.modules.module.register_module_forward_pre_hook
 */
export function registerModuleForwardPreHook(hook: ForwardPreHook): RemovableHandle {
  return globalHooks.addBefore(hook, {});
}

/**
 * Registers a hook that runs after `forward` of every module.
 * @source torch.nn.modules.module.register_module_forward_hook
 */
export function registerModuleForwardHook(
  hook: ForwardHook,
  options: { alwaysCall?: boolean } = {},
): RemovableHandle {
  requireOptions('registerModuleForwardHook', options, ['alwaysCall']);
  return globalHooks.addAfter(hook, options);
}

/** Calls `forward` with the hooks of all modules and its own around it. */
export function callWithHooks(module: Module, own: Hooks | null, args: unknown[]): unknown {
  const before = own === null ? globalHooks.before : [...globalHooks.before, ...own.before];
  const after = own === null ? globalHooks.after : [...globalHooks.after, ...own.after];
  const watch = own?.watch(module) ?? null;
  let given = args;
  let output: unknown;
  const ran = new Set<AfterHook>();
  try {
    for (const hook of before) {
      const replaced = hook(module, given);
      if (replaced !== undefined && replaced !== null)
        given = Array.isArray(replaced) ? replaced : [replaced];
    }
    if (watch !== null) given = watch.enter(given);
    output = module.forward(...given);
    for (const entry of after) {
      ran.add(entry);
      const replaced = entry.run(module, given, output);
      if (replaced !== undefined && replaced !== null) output = replaced;
    }
    return watch === null ? output : watch.leave(output);
  } catch (error) {
    for (const entry of after) if (entry.always && !ran.has(entry)) runAfterError(module, entry, given);
    throw error;
  }
}

/** The error of `forward` is the one to report; that of a hook which only looks on is a warning. */
function runAfterError(module: Module, entry: AfterHook, args: unknown[]): void {
  try {
    entry.run(module, args, undefined);
  } catch (error) {
    console.warn(`tapegrad: a forward hook failed after its module had failed: ${String(error)}`);
  }
}
