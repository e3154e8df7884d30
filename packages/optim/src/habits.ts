import { optimizing, peekGrad, warnOnce, type Tensor } from '@tapegrad/core';

/** How many steps of an optimizer are looked at: a loop that goes wrong does so from its second step on. */
export const WATCHED_STEPS = 3;

/** The gradients that the last step used, and their versions then. */
export type UsedGradients = Map<Tensor, readonly [gradient: Tensor, version: number]>;

/**
 * Points out a loop that uses gradients twice, or adds new ones to those of a step that was taken.
 * @param used what the last step used; what this one will use is put in its place
 */
export function checkGradients(name: string, params: readonly Tensor[], used: UsedGradients): void {
  let stale = 0;
  let summed = 0;
  let count = 0;
  for (const param of params) {
    const gradient = peekGrad(param);
    if (gradient === null) continue;
    count++;
    const [before, version] = used.get(param) ?? [null, 0];
    if (before === gradient && gradient.version === version) stale++;
    // More than one change may be a zero_() and a new sum.
    if (before === gradient && gradient.version === version + 1) summed++;
    used.set(param, [gradient, gradient.version]);
  }
  if (count === 0) return;
  if (stale === count) {
    warnOnce(
      'step without backward',
      `${name}.step() uses the gradients of the last step once more. Call loss.backward() before each step.`,
    );
  }
  if (summed === count) {
    warnOnce(
      'gradients of a taken step',
      `${name}.step() uses gradients to which those of the last step were added. Call zeroGrad() before each backward().`,
    );
  }
}

/** Lets those look who asked for it before parameters are changed. */
export function runWatches(name: string, params: readonly Tensor[]): void {
  optimizing.watches = optimizing.watches.filter((watch) => !watch(name, params));
}
