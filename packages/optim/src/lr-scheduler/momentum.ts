import { ValueError } from '@tapegrad/core';
import type { AnyOptimizer } from './schedule.ts';

/** Whether an optimizer's momentum is the first of its betas. @throws ValueError when it has no momentum at all */
export function usesBeta1({ defaults }: AnyOptimizer, name: string): boolean {
  const options = defaults as Record<string, unknown>;
  if (!('momentum' in options) && !('betas' in options)) {
    throw new ValueError(`${name}: the optimizer must have a momentum or betas; or set cycleMomentum: false`);
  }
  return !('momentum' in options);
}

/** Sets the momentum of each group. */
export function setMomentum({ paramGroups }: AnyOptimizer, beta1: boolean, values: readonly number[]): void {
  paramGroups.forEach((group, i) => {
    if (beta1) group.betas = [values[i], ...(group.betas as number[]).slice(1)];
    else group.momentum = values[i];
  });
}
