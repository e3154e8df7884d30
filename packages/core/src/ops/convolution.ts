import type { ConvolutionWindow } from '../backend/types.ts';
import { bilinear } from '../define/rules.ts';
import { empty, kernels } from '../dispatch.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, notATensor, type OptionNames } from '../option-names.ts';
import { shapeString, type Shape } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** A number for every spatial dimension, or one for all. */
export type PerDimension = number | readonly number[];

/** Options of convolutions. */
export interface ConvolutionOptions {
  /** Step of the window; default 1. */
  stride?: PerDimension | undefined;
  /** Zeros around the input; 'same' keeps the size (for stride 1), 'valid' is 0. Default 0. */
  padding?: PerDimension | 'same' | 'valid' | undefined;
  /** Distance between the window's elements; default 1. */
  dilation?: PerDimension | undefined;
  /** Number of groups of channels that do not see each other; default 1. */
  groups?: number | undefined;
}

const convolutionNames: OptionNames<ConvolutionOptions> = { stride: 1, padding: 1, dilation: 1, groups: 1 };

/** What the three products share: the window, and the shape of the result. */
interface Geometry {
  readonly window: ConvolutionWindow;
  readonly shape: Shape;
}

const forwardProduct = bilinear<Geometry>('convolution', {
  forward: (x, w, { window, shape }) => {
    const out = empty(shape, x.dtype);
    kernels().convolution(out, x, w, window);
    return out;
  },
  transposes: [
    (g, w, { window }, { shape }) => convolutionInput(g, w, shape, window),
    (g, x, { window }, { shape }) => convolutionWeight(g, x, shape, window),
  ],
});

const inputProduct = bilinear<Geometry>('convolution_input', {
  forward: (g, w, { window, shape }) => {
    const out = empty(shape, g.dtype);
    kernels().convolutionInput(out, g, w, window);
    return out;
  },
  transposes: [
    (h, w, { window }, { shape }) => convolution(h, w, shape, window),
    (h, g, { window }, { shape }) => convolutionWeight(g, h, shape, window),
  ],
});

const weightProduct = bilinear<Geometry>('convolution_weight', {
  forward: (g, x, { window, shape }) => {
    const out = empty(shape, g.dtype);
    kernels().convolutionWeight(out, g, x, window);
    return out;
  },
  transposes: [
    (h, x, { window }, { shape }) => convolution(x, h, shape, window),
    (h, g, { window }, { shape }) => convolutionInput(g, h, shape, window),
  ],
});

/** The cross-correlation of x and w, whose result has the given shape. @internal */
export function convolution(x: Tensor, w: Tensor, shape: Shape, window: ConvolutionWindow): Tensor {
  return forwardProduct(x, w, { window, shape });
}

/** Its transpose in x: what a gradient of the result is in terms of x. @internal */
export function convolutionInput(g: Tensor, w: Tensor, shape: Shape, window: ConvolutionWindow): Tensor {
  return inputProduct(g, w, { window, shape });
}

/** Its transpose in w. @internal */
export function convolutionWeight(g: Tensor, x: Tensor, shape: Shape, window: ConvolutionWindow): Tensor {
  return weightProduct(g, x, { window, shape });
}

/** One number per spatial dimension. */
function spread(op: string, name: string, value: PerDimension | undefined, rank: number, least: number, initial: number): number[] {
  const given = [value ?? initial].flat();
  const list = given.length === 1 ? new Array<number>(rank).fill(given[0]!) : given;
  if (list.length !== rank || list.some((n) => !Number.isInteger(n) || n < least)) {
    throw new ValueError(
      `${op}: ${name} must be a whole number of at least ${least}, or ${rank} of them, got ${shapeString(given)}`,
      { op, argument: name },
    );
  }
  return list;
}

function checkRanks(op: string, x: Tensor, w: Tensor, rank: number): void {
  if (w.ndim !== rank + 2) {
    throw new ShapeError(`${op}: the weight must have ${rank + 2} dimensions, got ${shapeString(w.shape)}`, {
      op,
      argument: 'weight',
      shapes: [w.shape],
    });
  }
  if (x.ndim !== rank + 1 && x.ndim !== rank + 2) {
    throw new ShapeError(
      `${op}: expected ${rank + 1}D (unbatched) or ${rank + 2}D (batched) input to ${op}, but got input of size ` +
        shapeString(x.shape),
      { op, argument: 'x', shapes: [x.shape] },
    );
  }
  if (x.dtype !== w.dtype) {
    throw new DTypeError(`${op}: the input is ${x.dtype} and the weight is ${w.dtype}; use x.to('${w.dtype}')`, {
      op,
      dtypes: [x.dtype, w.dtype],
    });
  }
}

function checkChannels(op: string, x: Tensor, w: Tensor, groups: number, expected: number): void {
  if (!Number.isInteger(groups) || groups < 1 || w.shape[0]! % groups !== 0) {
    throw new ShapeError(
      `${op}: groups must be a whole number of at least 1 that divides the ${w.shape[0]} channels of the weight ` +
        `${shapeString(w.shape)}, got ${groups}`,
      { op, argument: 'groups', shapes: [w.shape] },
    );
  }
  if (x.shape[1] !== expected) {
    throw new ShapeError(
      `${op}: given groups=${groups} and a weight of size ${shapeString(w.shape)}, expected input ${shapeString(x.shape)} to ` +
        `have ${expected} channels, but got ${x.shape[1]} channels instead`,
      { op, argument: 'x', shapes: [x.shape, w.shape] },
    );
  }
}

function withBias(op: string, y: Tensor, bias: Tensor | null | undefined, rank: number): Tensor {
  if (bias === undefined || bias === null) return y;
  if (!(bias instanceof Tensor)) throw notATensor(op, 'bias', bias);
  const channels = y.shape[1]!;
  if (bias.ndim !== 1 || bias.shape[0] !== channels) {
    throw new ShapeError(`${op}: the bias must be [${channels}], one number per output channel, got ${shapeString(bias.shape)}`, {
      op,
      argument: 'bias',
      shapes: [bias.shape],
    });
  }
  if (bias.dtype !== y.dtype) {
    throw new DTypeError(`${op}: the bias is ${bias.dtype} and the weight is ${y.dtype}; use bias.to('${y.dtype}')`, {
      op,
      argument: 'bias',
      dtypes: [bias.dtype, y.dtype],
    });
  }
  // In place, since nobody else has the product.
  return y.add_(bias.reshape([channels, ...new Array<number>(rank).fill(1)]));
}

/** Zeros before and after each dimension. With 'same', an odd one goes to the end. */
function paddingOf(op: string, options: ConvolutionOptions, kernel: Shape, stride: Shape, dilation: Shape): [number[], number[]] {
  const { padding } = options;
  if (padding !== 'same') {
    const same = spread(op, 'padding', padding === 'valid' ? 0 : (padding as PerDimension | undefined), kernel.length, 0, 0);
    return [same, same];
  }
  if (stride.some((s) => s !== 1)) {
    throw new ValueError(`${op}: padding 'same' is not defined for strided convolutions; stride is ${shapeString(stride)}`, {
      op,
      argument: 'padding',
    });
  }
  const total = kernel.map((k, d) => dilation[d]! * (k - 1));
  return [total.map((n) => Math.floor(n / 2)), total.map((n) => Math.ceil(n / 2))];
}

function convolve(rank: number, input: Tensor, w: Tensor, bias: Tensor | null | undefined, options: ConvolutionOptions): Tensor {
  const op = `conv${rank}d`;
  checkOptions(op, options, convolutionNames);
  checkRanks(op, input, w, rank);
  const x = input.ndim === rank + 1 ? input.unsqueeze(0) : input;
  const { groups = 1 } = options;
  checkChannels(op, x, w, groups, w.shape[1]! * groups);
  const kernel = w.shape.slice(2);
  const stride = spread(op, 'stride', options.stride, rank, 1, 1);
  const dilation = spread(op, 'dilation', options.dilation, rank, 1, 1);
  const [padding, after] = paddingOf(op, options, kernel, stride, dilation);
  const sizes = kernel.map((k, d) => {
    const padded = x.shape[d + 2]! + padding[d]! + after[d]!;
    const extent = dilation[d]! * (k - 1) + 1;
    if (extent > padded) {
      throw new ShapeError(
        `${op}: the kernel can't be larger than the padded input: kernel ${shapeString(kernel)} with dilation ` +
          `${shapeString(dilation)} spans ${extent} in dim ${d + 2}, the padded input ${padded}`,
        { op, shapes: [x.shape, w.shape] },
      );
    }
    return Math.floor((padded - extent) / stride[d]!) + 1;
  });
  const window = { kernel, stride, padding, dilation, groups };
  const out = withBias(op, convolution(x, w, [x.shape[0]!, w.shape[0]!, ...sizes], window), bias, rank);
  return x === input ? out : out.squeeze(0);
}

/**
 * A window of weights moved over a sequence, summed over input channels.
 * @shape x [N, C, L] or [C, L], weight [O, C / groups, K] -> [N, O, L'] or [O, L']
 * @throws ShapeError when ranks or channels do not fit, or the window is larger than the padded input
 * @source torch.nn.functional.conv1d
 */
export function conv1d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvolutionOptions = none): Tensor {
  return convolve(1, x, weight, bias, options);
}

/**
 * A window of weights moved over an image, summed over input channels.
 * @shape x [N, C, H, W] or [C, H, W], weight [O, C / groups, K, K] -> [N, O, H', W'] or [O, H', W']
 * @throws ShapeError when ranks or channels do not fit, or the window is larger than the padded input
 * @source torch.nn.functional.conv2d
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvolutionOptions = none): Tensor {
  return convolve(2, x, weight, bias, options);
}

/** As `conv2d` over volumes. @shape x [N, C, D, H, W] -> [N, O, D', H', W'] @source torch.nn.functional.conv3d */
export function conv3d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvolutionOptions = none): Tensor {
  return convolve(3, x, weight, bias, options);
}

/** Options of transposed convolutions. */
export interface ConvTransposeOptions {
  /** Step of the window over the output; default 1. */
  stride?: PerDimension | undefined;
  /** What is cut off around the output; default 0. */
  padding?: PerDimension | undefined;
  /** What is added at the end of the output, less than stride or dilation; default 0. */
  outputPadding?: PerDimension | undefined;
  groups?: number | undefined;
  dilation?: PerDimension | undefined;
}

const convTransposeNames: OptionNames<ConvTransposeOptions> = { stride: 1, padding: 1, outputPadding: 1, dilation: 1, groups: 1 };

function transposed(rank: number, input: Tensor, w: Tensor, bias: Tensor | null | undefined, options: ConvTransposeOptions): Tensor {
  const op = `convTranspose${rank}d`;
  checkOptions(op, options, convTransposeNames);
  checkRanks(op, input, w, rank);
  const x = input.ndim === rank + 1 ? input.unsqueeze(0) : input;
  const { groups = 1 } = options;
  checkChannels(op, x, w, groups, w.shape[0]!);
  const kernel = w.shape.slice(2);
  const stride = spread(op, 'stride', options.stride, rank, 1, 1);
  const dilation = spread(op, 'dilation', options.dilation, rank, 1, 1);
  const padding = spread(op, 'padding', options.padding, rank, 0, 0);
  const extra = spread(op, 'outputPadding', options.outputPadding, rank, 0, 0);
  const sizes = kernel.map((k, d) => {
    if (extra[d]! >= Math.max(stride[d]!, dilation[d]!)) {
      throw new ValueError(
        `${op}: outputPadding must be smaller than stride or dilation, but in dim ${d + 2} it is ${extra[d]} with stride ` +
          `${stride[d]} and dilation ${dilation[d]}`,
        { op, argument: 'outputPadding' },
      );
    }
    const size = (x.shape[d + 2]! - 1) * stride[d]! - 2 * padding[d]! + dilation[d]! * (k - 1) + extra[d]! + 1;
    if (size < 0) throw new ShapeError(`${op}: padding ${shapeString(padding)} would cut off more than there is`, { op, shapes: [x.shape] });
    return size;
  });
  const window = { kernel, stride, padding, dilation, groups };
  const shape = [x.shape[0]!, w.shape[1]! * groups, ...sizes];
  const out = withBias(op, convolutionInput(x, w, shape, window), bias, rank);
  return x === input ? out : out.squeeze(0);
}

/** The transpose of `conv1d`. @shape x [N, C, L], weight [C, O / groups, K] -> [N, O, L'] @source torch.nn.functional.conv_transpose1d */
export function convTranspose1d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvTransposeOptions = none): Tensor {
  return transposed(1, x, weight, bias, options);
}

/** The transpose of `conv2d`. @shape x [N, C, H, W], weight [C, O / groups, K, K] -> [N, O, H', W'] @source torch.nn.functional.conv_transpose2d */
export function convTranspose2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvTransposeOptions = none): Tensor {
  return transposed(2, x, weight, bias, options);
}

/** The transpose of `conv3d`. @shape x [N, C, D, H, W] -> [N, O, D', H', W'] @source torch.nn.functional.conv_transpose3d */
export function convTranspose3d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvTransposeOptions = none): Tensor {
  return transposed(3, x, weight, bias, options);
}
