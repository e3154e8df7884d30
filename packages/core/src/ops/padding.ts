import { framed, type Margin } from '../define/framing.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** How `pad` fills what it adds. */
export interface PadOptions {
  /** Default 'constant'; the others repeat the tensor mirrored, at its edge, or from its other end. */
  mode?: 'constant' | 'reflect' | 'replicate' | 'circular' | undefined;
  /** What mode 'constant' fills in; default 0. */
  value?: number | undefined;
}

const padNames: OptionNames<PadOptions> = { mode: 1, value: 1 };

function marginsOf(x: Tensor, pad: readonly number[]): Margin[] {
  if (pad.length % 2 !== 0 || pad.length > 2 * x.ndim || pad.some((n) => !Number.isInteger(n))) {
    throw new ShapeError(
      `pad: the list [${pad.join(', ')}] must have two whole numbers (before, after) per padded dimension, beginning with ` +
        `the last, for at most the ${x.ndim} dimensions of ${shapeString(x.shape)}`,
      { op: 'pad', argument: 'pad', shapes: [x.shape] },
    );
  }
  return x.shape.map((size, d) => {
    const at = 2 * (x.ndim - 1 - d);
    const margin: Margin = [pad[at] ?? 0, pad[at + 1] ?? 0];
    if (size + margin[0] + margin[1] < 0) {
      throw new ShapeError(
        `pad: padding [${margin.join(', ')}] would leave dim ${d} of ${shapeString(x.shape)} with the negative size ` +
          `${size + margin[0] + margin[1]}`,
        { op: 'pad', argument: 'pad', shapes: [x.shape] },
      );
    }
    return margin;
  });
}

/** What negative margins leave of a dimension: where it begins, and how long it is. */
function keptOf(size: number, [before, after]: Margin): [start: number, length: number] {
  const start = Math.max(-before, 0);
  return [start, size - start - Math.max(-after, 0)];
}

/**
 * Which element stands at position `p` (negative before the first) of a dimension that is continued without end. What negative
 * margins cut off is mirrored all the same, but not repeated from the other end.
 */
const continuations: Readonly<Record<string, (p: number, size: number, margin: Margin) => number>> = {
  reflect: (p, size) => (p < 0 ? -p : p >= size ? 2 * (size - 1) - p : p),
  replicate: (p, size) => Math.min(Math.max(p, 0), size - 1),
  circular: (p, size, margin) => {
    const [start, length] = keptOf(size, margin);
    return start + ((((p - start) % length) + length) % length);
  },
};

/** The largest margin that a continuation can fill. */
const reach: Readonly<Record<string, (size: number, margin: Margin) => number>> = {
  reflect: (size) => size - 1,
  replicate: (size) => (size > 0 ? Infinity : 0),
  circular: (size, margin) => keptOf(size, margin)[1],
};

function padByIndex(x: Tensor, margins: readonly Margin[], mode: string): Tensor {
  margins.forEach(([before, after], d) => {
    if (before === 0 && after === 0) return;
    const limit = reach[mode]!(x.shape[d]!, [before, after]);
    if (Math.max(before, after) > limit) {
      throw new ShapeError(
        `pad: mode '${mode}' can add at most ${limit} elements on each side of dim ${d} of ${shapeString(x.shape)}, but ` +
          `[${before}, ${after}] were asked for`,
        { op: 'pad', argument: 'pad', shapes: [x.shape] },
      );
    }
  });
  const place = continuations[mode]!;
  return margins.reduce((rest, [before, after], d) => {
    if (before === 0 && after === 0) return rest;
    const size = x.shape[d]!;
    const index = Int32Array.from({ length: size + before + after }, (_, i) => place(i - before, size, [before, after]));
    return rest.indexSelect(d, x.newFrom(index, 'int32', [index.length]));
  }, x);
}

/**
 * The tensor with elements added around it, or cut off where the margin is negative. The list names the margins before
 * and after, beginning with the last dimension: `[left, right, top, bottom, …]`.
 * @throws ShapeError when the list does not fit the tensor, or a mode cannot fill so much
 * @source torch.nn.functional.pad
 */
export function pad(x: Tensor, pad: readonly number[], options: PadOptions = none): Tensor {
  checkOptions('pad', options, padNames);
  const { mode = 'constant', value = 0 } = options;
  const margins = marginsOf(x, pad);
  if (mode === 'constant') return framed(x, margins, value);
  if (!(mode in continuations)) {
    throw new ValueError(`pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', got '${String(mode)}'`, {
      op: 'pad',
      argument: 'mode',
    });
  }
  return padByIndex(x, margins, mode);
}
