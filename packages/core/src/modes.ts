import { GradError } from './errors.ts';

/** Global switches that the engine reads on every operation. Scopes below change and restore them. */
export const modes: { grad: boolean; anomaly: boolean; checkNaN: boolean } = {
  grad: true,
  anomaly: false,
  checkNaN: true,
};

/** Whether operations are being recorded. */
export function isGradEnabled(): boolean {
  return modes.grad;
}

/**
 * Switches recording on or off from here on; inside a scope, until the scope ends.
 * @source torch.set_grad_enabled
 */
export function setGradEnabled(enabled: boolean): void {
  modes.grad = enabled;
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
 * Runs `body` without recording, or, called without an argument, opens such a scope for `using`.
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

function gradScope<T>(name: string, enabled: boolean, body?: () => T): T | ModeScope {
  const before = modes.grad;
  modes.grad = enabled;
  if (body === undefined) return new ModeScope(() => (modes.grad = before));
  try {
    return refusePromise(name, body());
  } finally {
    modes.grad = before;
  }
}

/**
 * Makes every node remember where it was recorded, and checks gradients for NaN after each step of a backward pass.
 * Slow; for finding the operation that made the first NaN. Without a body it opens a scope for `using`.
 * @source torch.autograd.detect_anomaly
 */
export function detectAnomaly(): ModeScope;
export function detectAnomaly<T>(body: () => T): T;
export function detectAnomaly<T>(body?: () => T): T | ModeScope {
  const before = modes.anomaly;
  modes.anomaly = true;
  if (body === undefined) return new ModeScope(() => (modes.anomaly = before));
  try {
    return refusePromise('detectAnomaly', body());
  } finally {
    modes.anomaly = before;
  }
}

/** Switches anomaly detection globally. `checkNaN: false` keeps only the record of where each node was made. */
export function setDetectAnomaly(enabled: boolean, options: { checkNaN?: boolean } = {}): void {
  modes.anomaly = enabled;
  modes.checkNaN = options.checkNaN ?? true;
}

function refusePromise<T>(name: string, result: T): T {
  if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function') {
    throw new GradError(
      `${name}: the callback must be synchronous, but it returned a promise; the mode would leak into whatever runs ` +
        `while it waits. Call ${name} around the synchronous parts between the awaits`,
      { op: name },
    );
  }
  return result;
}
