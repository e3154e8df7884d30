import { ShapeError, ValueError, type Tensor } from '@tapegrad/core';

function requireImage(op: string, x: Tensor, factor: number): void {
  if (!(Number.isInteger(factor) && factor > 0)) {
    throw new ValueError(`${op}: the factor must be a positive whole number, got ${factor}`, { op });
  }
  if (x.ndim >= 3) return;
  throw new ShapeError(`${op}: the input needs channels, height and width, got [${x.shape.join(', ')}]`, {
    op,
    shapes: [x.shape],
  });
}

/**
 * Channels laid out as pixels: each r × r block of the result comes from r² channels.
 * @shape [..., C · r², H, W] -> [..., C, H · r, W · r]
 * @throws ShapeError when the channels are not divisible by r²
 * @source torch.nn.functional.pixel_shuffle (Shi et al. 2016)
 */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  const op = 'pixelShuffle';
  requireImage(op, x, upscaleFactor);
  const r = upscaleFactor;
  const lead = x.shape.slice(0, -3);
  const [channels, height, width] = x.shape.slice(-3) as [number, number, number];
  if (channels % r ** 2 !== 0) {
    throw new ShapeError(
      `${op}: the ${channels} channels of [${x.shape.join(', ')}] are not divisible by ${r}² = ${r ** 2}`,
      {
        op,
        shapes: [x.shape],
      },
    );
  }
  const kept = lead.map((_, d) => d);
  const n = lead.length;
  return x
    .reshape([...lead, channels / r ** 2, r, r, height, width])
    .permute([...kept, n, n + 3, n + 1, n + 4, n + 2])
    .reshape([...lead, channels / r ** 2, height * r, width * r]);
}

/**
 * Pixels laid out as channels, the inverse of `pixelShuffle`.
 * @shape [..., C, H · r, W · r] -> [..., C · r², H, W]
 * @throws ShapeError when height or width is not divisible by r
 * @source torch.nn.functional.pixel_unshuffle
 */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  const op = 'pixelUnshuffle';
  requireImage(op, x, downscaleFactor);
  const r = downscaleFactor;
  const lead = x.shape.slice(0, -3);
  const [channels, height, width] = x.shape.slice(-3) as [number, number, number];
  if (height % r !== 0 || width % r !== 0) {
    throw new ShapeError(`${op}: height and width of [${x.shape.join(', ')}] are not divisible by ${r}`, {
      op,
      shapes: [x.shape],
    });
  }
  const kept = lead.map((_, d) => d);
  const n = lead.length;
  return x
    .reshape([...lead, channels, height / r, r, width / r, r])
    .permute([...kept, n, n + 2, n + 4, n + 1, n + 3])
    .reshape([...lead, channels * r ** 2, height / r, width / r]);
}

/**
 * Channels in another order: dealt out so that each group of the result has some of each group of x.
 * @shape [N, C, …] -> the same
 * @throws ShapeError when the groups do not divide the channels
 * @source torch.nn.functional.channel_shuffle (Zhang et al. 2018)
 */
export function channelShuffle(x: Tensor, groups: number): Tensor {
  const op = 'channelShuffle';
  const [batch, channels, ...rest] = x.shape as [number, number, ...number[]];
  if (x.ndim < 3 || !(groups > 0) || channels % groups !== 0) {
    throw new ShapeError(
      `${op}: ${groups} groups do not divide the channels of [${x.shape.join(', ')}], which must be [N, C, …]`,
      {
        op,
        shapes: [x.shape],
      },
    );
  }
  return x
    .reshape([batch, groups, channels / groups, ...rest])
    .transpose(1, 2)
    .reshape(x.shape);
}
