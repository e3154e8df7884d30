import { framed } from '../define/framing.ts';
import { linear } from '../define/rules.ts';
import { empty } from '../dispatch.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { contiguousStrides, numel, shapeString, type Shape, type Strides } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { PerDimension } from './convolution.ts';

/** Options of `im2col` and `col2im`. */
export interface PatchOptions {
  /** Distance between the window's elements; default 1. */
  dilation?: PerDimension | undefined;
  /** Zeros around the image; default 0. */
  padding?: PerDimension | undefined;
  /** Step of the window; default 1. */
  stride?: PerDimension | undefined;
}

const patchNames: OptionNames<PatchOptions> = { dilation: 1, padding: 1, stride: 1 };

type Pair = readonly [number, number];

/** Where the windows of an image without padding lie. */
interface PatchGeometry {
  /** [N, C, H, W] */
  readonly image: Shape;
  readonly kernel: Pair;
  readonly dilation: Pair;
  readonly stride: Pair;
  /** How many windows fit, downwards and across. */
  readonly count: Pair;
}

function pair(op: string, name: string, value: PerDimension, least: number): Pair {
  const given = [value].flat();
  const [first, second = first] = given;
  if (given.length < 1 || given.length > 2 || given.some((n) => !Number.isInteger(n) || n < least)) {
    throw new ValueError(`${op}: ${name} must be a whole number of at least ${least}, or two of them, got ${shapeString(given)}`, {
      op,
      argument: name,
    });
  }
  return [first!, second!];
}

/** Elements of an image, window by window: [N, C, kH, kW, H', W'] in its memory. */
function windowStrides({ image, dilation, stride }: PatchGeometry): Strides {
  const [batch, channel, row, column] = contiguousStrides(image) as [number, number, number, number];
  return [batch, channel, dilation[0] * row, dilation[1] * column, stride[0] * row, stride[1] * column];
}

function windowShape({ image, kernel, count }: PatchGeometry): Shape {
  return [image[0]!, image[1]!, ...kernel, ...count];
}

const unfolded = linear<PatchGeometry>('im2col', {
  forward: ([x], geometry) => {
    const dense = x!.detach().contiguous();
    const out = empty(windowShape(geometry), dense.dtype);
    if (out.numel() > 0) out.copy_(dense.asStrided(out.shape, windowStrides(geometry), dense.offset));
    return out;
  },
  transpose: (g, geometry) => patchesFolded(g, geometry),
});

const folded = linear<PatchGeometry>('col2im', {
  forward: ([g], geometry) => {
    const windows = g!.detach();
    const out = empty(geometry.image, windows.dtype).zero_();
    const [batch, channels, rows, columns, height, width] = windows.shape as [number, number, number, number, number, number];
    if (windows.numel() === 0) return out;
    const [s0, s1, row, column, down, across] = windowStrides(geometry) as [number, number, number, number, number, number];
    // One element of all windows at a time: these never overlap.
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const place = out.asStrided([batch, channels, height, width], [s0, s1, down, across], i * row + j * column);
        place.add_(windows.select(2, i).select(2, j));
      }
    }
    return out;
  },
  transpose: (g, geometry) => patches(g, geometry),
});

/** The windows of an image, with everything given. @internal */
export function patches(x: Tensor, geometry: PatchGeometry): Tensor {
  return unfolded([x], geometry);
}

/** Windows added up where they came from: the transpose of `patches`. @internal */
export function patchesFolded(g: Tensor, geometry: PatchGeometry): Tensor {
  return folded([g], geometry);
}

function geometryOf(op: string, image: Shape, kernelSize: PerDimension, options: PatchOptions): { padding: Pair; geometry: PatchGeometry } {
  checkOptions(op, options, patchNames);
  const kernel = pair(op, 'kernelSize', kernelSize, 1);
  const dilation = pair(op, 'dilation', options.dilation ?? 1, 1);
  const padding = pair(op, 'padding', options.padding ?? 0, 0);
  const stride = pair(op, 'stride', options.stride ?? 1, 1);
  const padded = [image[0]!, image[1]!, image[2]! + 2 * padding[0], image[3]! + 2 * padding[1]];
  const fits = (d: 0 | 1): number => Math.floor((padded[2 + d]! - dilation[d] * (kernel[d] - 1) - 1) / stride[d]) + 1;
  const count: Pair = [fits(0), fits(1)];
  if (count[0] < 1 || count[1] < 1) {
    throw new ShapeError(
      `${op}: windows of ${shapeString(kernel)} with dilation ${shapeString(dilation)} do not fit an image of ` +
        `${shapeString(image.slice(2))} with padding ${shapeString(padding)}`,
      { op, shapes: [image] },
    );
  }
  return { padding, geometry: { image: padded, kernel, dilation, stride, count } };
}

/**
 * The windows of images, each as a column: what a convolution multiplies its weight with.
 * @shape [N, C, H, W] or [C, H, W] -> [N, C · kH · kW, L] or without N, for L windows
 * @derivative added up where the elements came from
 * @throws ShapeError when no window fits
 * @source torch.nn.functional.unfold
 */
export function im2col(x: Tensor, kernelSize: PerDimension, options: PatchOptions = none): Tensor {
  const op = 'unfold';
  if ((x.ndim !== 3 && x.ndim !== 4) || x.shape.slice(-3).includes(0)) {
    throw new ShapeError(`${op}: expected [N, C, H, W] or [C, H, W] with elements, got ${shapeString(x.shape)}`, { op, shapes: [x.shape] });
  }
  if (x.ndim === 3) return im2col(x.unsqueeze(0), kernelSize, options).squeeze(0);
  const { padding, geometry } = geometryOf(op, x.shape, kernelSize, options);
  const [down, across] = padding;
  const wide = down + across === 0 ? x : framed(x, [[0, 0], [0, 0], [down, down], [across, across]]);
  const { image, kernel, count } = geometry;
  return patches(wide, geometry).reshape([image[0]!, image[1]! * numel(kernel), numel(count)]);
}

/**
 * Images from windows given as columns; where windows overlap, their elements are added up.
 * @param outputSize height and width of the images
 * @shape [N, C · kH · kW, L] or without N -> [N, C, H, W] or [C, H, W]
 * @throws ShapeError when the columns are not as many as there are windows, or as long
 * @source torch.nn.functional.fold
 */
export function col2im(x: Tensor, outputSize: PerDimension, kernelSize: PerDimension, options: PatchOptions = none): Tensor {
  const op = 'fold';
  if ((x.ndim !== 2 && x.ndim !== 3) || x.shape.slice(-2).includes(0)) {
    throw new ShapeError(`${op}: expected [N, C · kH · kW, L] or [C · kH · kW, L] with elements, got ${shapeString(x.shape)}`, {
      op,
      shapes: [x.shape],
    });
  }
  if (x.ndim === 2) return col2im(x.unsqueeze(0), outputSize, kernelSize, options).squeeze(0);
  const size = pair(op, 'outputSize', outputSize, 1);
  const elements = numel(pair(op, 'kernelSize', kernelSize, 1));
  const [batch, length, columns] = x.shape as [number, number, number];
  const { padding, geometry } = geometryOf(op, [batch, Math.floor(length / elements), ...size], kernelSize, options);
  if (length % elements !== 0 || columns !== numel(geometry.count)) {
    throw new ShapeError(
      `${op}: an image of ${shapeString(size)} has ${numel(geometry.count)} windows of ${elements} elements per channel, but ` +
        `the input ${shapeString(x.shape)} has ${columns} columns of ${length}`,
      { op, shapes: [x.shape] },
    );
  }
  const wide = patchesFolded(x.reshape(windowShape(geometry)), geometry);
  const [down, across] = padding;
  return down + across === 0 ? wide : wide.narrow(2, down, size[0]).narrow(3, across, size[1]);
}
