import type { Shape } from '../../shape.ts';
import type { AverageWindow, Kernels, Window } from '../types.ts';
import { beats } from './arithmetic.ts';
import { eachIndex, store, temporary, viewOf } from './ndarray.ts';
import { inside, tapPosition } from './window.ts';

/** All positions that the window at `place` looks at, those in the padding too, in row-major order. */
function positionsOf(window: Window, place: readonly number[]): number[][] {
  const positions: number[][] = [];
  eachIndex(window.kernel, (tap) => positions.push(tapPosition(window, place, tap)));
  return positions;
}

/** Splits an index or a shape into what comes before the spatial dimensions and those. */
function split(list: readonly number[], window: Window): [number[], number[]] {
  const spatial = list.length - window.kernel.length;
  return [list.slice(0, spatial), list.slice(spatial)];
}

/** The extreme of what each window sees; padding is never seen. */
export const maxPool: Kernels['maxPool'] = (out, indices, x, window) => {
  const [result, where, view] = [viewOf(out), viewOf(indices), viewOf(x)];
  const [, sizes] = split(x.shape, window);
  eachIndex(out.shape, (index) => {
    const [channel, place] = split(index, window);
    let best = -Infinity;
    let at = -1;
    for (const position of positionsOf(window, place)) {
      if (!inside(position, sizes)) continue;
      const value = view.get(...channel, ...position);
      if (at >= 0 && !beats('max', value, best)) continue;
      best = value;
      at = position.reduce((flat, p, d) => flat * sizes[d]! + p, 0);
    }
    result.set(...index, best);
    where.set(...index, Math.max(at, 0));
  });
};

/** Calls `visit` for every element that counts in a mean, with the divisor of its window. */
function eachShare(
  x: Shape,
  out: Shape,
  window: AverageWindow,
  visit: (inX: number[], inOut: number[], divisor: number) => void,
): void {
  const [, sizes] = split(x, window);
  const ends = sizes.map((size, d) => size + window.paddingAfter[d]!);
  eachIndex(out, (inOut) => {
    const [channel, place] = split(inOut, window);
    const positions = positionsOf(window, place);
    const seen = positions.filter((position) => inside(position, sizes));
    const withPadding = positions.filter((position) => position.every((p, d) => p < ends[d]!));
    const divisor = window.divisor ?? (window.countIncludePad ? withPadding.length : seen.length);
    for (const position of seen) visit([...channel, ...position], inOut, divisor);
  });
}

/** Means of what each window sees. */
export const averagePool: Kernels['averagePool'] = (out, x, window) => {
  const view = viewOf(x);
  const sums = temporary(out.shape);
  eachShare(x.shape, out.shape, window, (inX, inOut, divisor) => {
    sums.set(...inOut, sums.get(...inOut) + view.get(...inX) / divisor);
  });
  store(out, sums);
};

/** Hands each element of g back to what it was the mean of. */
export const averagePoolTranspose: Kernels['averagePoolTranspose'] = (out, g, window) => {
  const view = viewOf(g);
  const sums = temporary(out.shape);
  eachShare(out.shape, g.shape, window, (inX, inOut, divisor) => {
    sums.set(...inX, sums.get(...inX) + view.get(...inOut) / divisor);
  });
  store(out, sums);
};
