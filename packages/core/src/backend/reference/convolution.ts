import type { Shape } from '../../shape.ts';
import type { ConvolutionWindow, Kernels, Strided } from '../types.ts';
import { arithmeticOf } from './arithmetic.ts';
import { eachIndex, store, temporary, viewOf } from './ndarray.ts';
import { inside, tapPosition } from './window.ts';

/** Calls `visit` for every product that a convolution adds up: with the places in x, w and out. */
function eachProduct(
  x: Shape,
  w: Shape,
  out: Shape,
  window: ConvolutionWindow,
  visit: (inX: number[], inW: number[], inOut: number[]) => void,
): void {
  const outPerGroup = out[1]! / window.groups;
  const inPerGroup = w[1]!;
  eachIndex(out, (inOut) => {
    const [n, o, ...place] = inOut as [number, number, ...number[]];
    const firstChannel = Math.floor(o / outPerGroup) * inPerGroup;
    eachIndex(w.slice(1), (ofFilter) => {
      const [c, ...tap] = ofFilter as [number, ...number[]];
      const position = tapPosition(window, place, tap);
      if (inside(position, x.slice(2))) visit([n, firstChannel + c, ...position], [o, c, ...tap], inOut);
    });
  });
}

/** Adds products up in float64, at places that the caller names, and stores the sums. */
function accumulate(out: Strided, run: (add: (place: number[], a: number, b: number) => void) => void): void {
  const { add, mul } = arithmeticOf(out.dtype);
  const sums = temporary(out.shape);
  run((place, a, b) => sums.set(...place, add(sums.get(...place), mul(a, b))));
  store(out, sums);
}

/** Sums of x times w where the result is. */
export const convolution: Kernels['convolution'] = (out, x, w, window) => {
  const [xs, ws] = [viewOf(x), viewOf(w)];
  accumulate(out, (add) => {
    eachProduct(x.shape, w.shape, out.shape, window, (inX, inW, inOut) => {
      add(inOut, xs.get(...inX), ws.get(...inW));
    });
  });
};

/** The same products with g for the result, summed where x is. */
export const convolutionInput: Kernels['convolutionInput'] = (out, g, w, window) => {
  const [gs, ws] = [viewOf(g), viewOf(w)];
  accumulate(out, (add) => {
    eachProduct(out.shape, w.shape, g.shape, window, (inX, inW, inOut) => {
      add(inX, gs.get(...inOut), ws.get(...inW));
    });
  });
};

/** The same products with g for the result, summed where w is. */
export const convolutionWeight: Kernels['convolutionWeight'] = (out, g, x, window) => {
  const [gs, xs] = [viewOf(g), viewOf(x)];
  accumulate(out, (add) => {
    eachProduct(x.shape, out.shape, g.shape, window, (inX, inW, inOut) => {
      add(inW, gs.get(...inOut), xs.get(...inX));
    });
  });
};
