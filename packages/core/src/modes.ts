import { GradError } from './errors.ts';
import { checkOptions, none } from './option-names.ts';
import type { SavedTensorsHooks } from './tape.ts';

/** Global switches that the engine reads on every operation. Scopes below change and restore them. */
export const modes: {
  grad: boolean;
  anomaly: boolean;
  checkNaN: boolean;
  /** In anomaly mode: the node whose rule is running. */
  running: { readonly name: string; readonly stack: string | null } | null;
  /** What is done with tensors that nodes save, null for nothing. */
  savedHooks: SavedTensorsHooks | null;
  /** While a profile is taken: what watches operations. */
  tracer: Tracer | null;
  /** The operation that calls the next kernel, where it said so. */
  caller: string;
} = {
  grad: true,
  anomaly: false,
  checkNaN: true,
  running: null,
  savedHooks: null,
  tracer: null,
  caller: '',
};

/** Watches operations, each with its name. */
export interface Tracer {
  /** Runs the forward function of an operation. */
  forward<A extends readonly unknown[], R>(name: string, body: (...args: A) => R, ...args: A): R;
  /** Runs a step of a backward pass. */
  backward<A extends readonly unknown[], R>(name: string, body: (...args: A) => R, ...args: A): R;
}

/** Whether operations are being recorded. */
export function isGradEnabled(): boolean {
  return modes.grad;
}

/** A scope that restores what it changed when it is disposed of; made for `using`. */
export class ModeScope {
  #restore: (() => void) | null;
  constructor(restore: () => void) {
    this.#restore = restore;
  }
  /** Ends the scope; calling it again does nothing. */
  end(): void {
    this.#restore?.();
    this.#restore = null;
  }
  [Symbol.dispose](): void {
    this.end();
  }
}

/**
 * Runs `body` without recording, or, called without an argument, opens such a scope for `using`. If the body is a
 * generator function, the mode holds while its code runs and not while it waits at a `yield`.
 * @throws GradError if the body returns a promise: the switch is global and would leak over `await`
 * @example
 * const x = tg.tensor([1, 2], { requiresGrad: true });
 * const y = tg.noGrad(() => x.mul(2));
 * console.log(y.requiresGrad); // → false
 * @source torch.no_grad
 */
export function noGrad(): ModeScope;
export function noGrad<T>(body: () => T): T;
export function noGrad<T>(body?: () => T): T | ModeScope {
  return gradScope('noGrad', false, body);
}

/**
 * Runs `body` with recording on, or, called without an argument, opens such a scope for `using`.
 * @throws GradError if the body returns a promise
 * @source torch.enable_grad
 */
export function enableGrad(): ModeScope;
export function enableGrad<T>(body: () => T): T;
export function enableGrad<T>(body?: () => T): T | ModeScope {
  return gradScope('enableGrad', true, body);
}

/**
 * Switches recording on or off: while `body` runs, or from here on until the scope around or the returned one ends.
 * @throws GradError if the body returns a promise
 * @source torch.set_grad_enabled
 */
export function setGradEnabled(enabled: boolean): ModeScope;
export function setGradEnabled<T>(enabled: boolean, body: () => T): T;
export function setGradEnabled<T>(enabled: boolean, body?: () => T): T | ModeScope {
  return gradScope('setGradEnabled', enabled, body);
}

function gradScope<T>(name: string, enabled: boolean, body?: () => T): T | ModeScope {
  const enter = (): (() => void) => {
    const before = modes.grad;
    modes.grad = enabled;
    return () => (modes.grad = before);
  };
  return body === undefined ? new ModeScope(enter()) : runInside(name, enter, body);
}

/** What anomaly detection does beside remembering where nodes were recorded. */
export interface AnomalyOptions {
  /** Check the result of every step of a backward pass for NaN; default true. */
  checkNaN?: boolean;
}

/**
 * Makes every node remember where it was recorded, and checks gradients for NaN after each step of a backward pass.
 * Slow; for finding the operation that made the first NaN. Without a body it opens a scope for `using`.
 * @throws GradError if the body returns a promise
 * @source torch.autograd.detect_anomaly
 */
export function detectAnomaly(options?: AnomalyOptions): ModeScope;
export function detectAnomaly<T>(body: () => T, options?: AnomalyOptions): T;
export function detectAnomaly<T>(first?: AnomalyOptions | (() => T), second?: AnomalyOptions): T | ModeScope {
  const [body, options] = typeof first === 'function' ? [first, second] : [undefined, first];
  const enter = (): (() => void) => {
    const { anomaly, checkNaN } = modes;
    setDetectAnomaly(true, options);
    return () => setDetectAnomaly(anomaly, { checkNaN });
  };
  return body === undefined ? new ModeScope(enter()) : runInside('detectAnomaly', enter, body);
}

/** Switches anomaly detection globally. `checkNaN: false` keeps only the record of where each node was made. */
export function setDetectAnomaly(enabled: boolean, options: AnomalyOptions = none): void {
  checkOptions('detectAnomaly', options, { checkNaN: 1 });
  modes.anomaly = enabled;
  modes.checkNaN = options.checkNaN ?? true;
}

/**
 * Runs `body` between entering a mode and leaving it.
 * @throws GradError if the body returns a promise
 */
export function runInside<T>(name: string, enter: () => () => void, body: () => T): T {
  const leave = enter();
  let result: T;
  try {
    result = body();
  } finally {
    leave();
  }
  if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function' || kindOf(result) === 'AsyncGenerator') {
    throw new GradError(
      `${name}: the callback must be synchronous, but it returned a promise; the mode would leak into whatever runs ` +
        `while it waits. Call ${name} around the synchronous parts between the awaits`,
      { op: name },
    );
  }
  return kindOf(result) === 'Generator' ? (generatorInside(enter, result as Generator) as T) : result;
}

function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** A generator each of whose steps runs in the mode. */
function generatorInside(enter: () => () => void, generator: Generator): Generator {
  const step = <A extends unknown[], R>(advance: (...args: A) => R) => (...args: A): R => {
    const leave = enter();
    try {
      return advance.apply(generator, args);
    } finally {
      leave();
    }
  };
  return Object.assign(Object.create(Object.getPrototypeOf(generator) as object) as Generator, {
    next: step(generator.next),
    return: step(generator.return),
    throw: step(generator.throw),
  });
}
