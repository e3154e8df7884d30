import type { Window } from '../types.ts';

/** The position that tap `tap` of the window at `place` looks at; outside of the input if it is padding. */
export function tapPosition(window: Window, place: readonly number[], tap: readonly number[]): number[] {
  const { stride, padding, dilation } = window;
  return place.map((p, d) => p * stride[d]! - padding[d]! + tap[d]! * dilation[d]!);
}

/** Whether a position lies within the input. */
export function inside(position: readonly number[], sizes: readonly number[]): boolean {
  return position.every((p, d) => p >= 0 && p < sizes[d]!);
}
