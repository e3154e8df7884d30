import { elementwise, type Elementwise } from '../define/elementwise.ts';
import { DTypeError, ShapeError, ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { contiguousStrides, numel, shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** How values between elements are found. */
export type SamplingMode = 'bilinear' | 'nearest' | 'bicubic';

/** What lies outside of the image: zeros, its border, or the image mirrored. */
export type SamplingPadding = 'zeros' | 'border' | 'reflection';

/** Options of `gridSample`. */
export interface GridSampleOptions {
  /** Default 'bilinear', which is trilinear for volumes. */
  mode?: SamplingMode | undefined;
  /** Default 'zeros'. */
  paddingMode?: SamplingPadding | undefined;
  /** Whether −1 and 1 are the centres of the outermost elements, rather than their outer edges; default false. */
  alignCorners?: boolean | null | undefined;
}

const gridSampleNames: OptionNames<GridSampleOptions> = { mode: 1, paddingMode: 1, alignCorners: 1 };

type WithTwo = Elementwise<(x: Tensor, a: number, b: number) => Tensor>;
type WithOne = Elementwise<(x: Tensor, a: number) => Tensor>;

/** From −1 … 1 to elements: x · factor + shift. */
const placed: WithTwo = elementwise('grid_place', (x, factor, shift) => x.mul(factor).add(shift));

/** Limited to 0 … last, with no gradient at the ends. */
const clipped: WithOne = elementwise('grid_clip', (x, last) => x.le(0).where(0, x.ge(last).where(last, x)));

/** Mirrored at `low` and `low + span` until it lies between. */
const mirrored: WithTwo = elementwise('grid_mirror', (x, low, span) => {
  const moved = x.sub(low);
  const distance = moved.lt(0).where(moved.neg(), moved);
  const flips = distance.div(span).floor();
  const rest = distance.sub(flips.mul(span));
  const isEven = flips.sub(flips.div(2).floor().mul(2)).eq(0);
  return isEven.where(rest, span.sub(rest)).add(low);
});

/** The element to read at a position; what lies outside, or nowhere, is replaced by one inside. */
const insideIndex: WithOne = elementwise('grid_index', (x, last) => x.isnan().where(0, x.max(0).min(last)));

/** A weight, and 0 where the position lies outside. */
const insideWeight: Elementwise<(weight: Tensor, x: Tensor, last: number) => Tensor> = elementwise(
  'grid_weight',
  (weight, x, last) => x.ge(0).and(x.le(last)).where(weight, 0),
);

/** Keys' kernel with a = −0.75 at distances of at most 1, and from 1 to 2. */
const cubicNear: Elementwise<(d: Tensor) => Tensor> = elementwise('cubic_near', (d) => d.mul(1.25).sub(2.25).mul(d).mul(d).add(1));
const cubicFar: Elementwise<(d: Tensor) => Tensor> = elementwise('cubic_far', (d) => {
  return d.mul(-0.75).add(3.75).mul(d).sub(6).mul(d).add(3);
});

/** An element that takes part, per dimension: its position, and its weight. */
interface Tap {
  readonly position: Tensor;
  readonly weight: Tensor;
}

const padded: Readonly<Record<SamplingPadding, (x: Tensor, size: number, alignCorners: boolean) => Tensor>> = {
  zeros: (x) => x,
  border: (x, size) => clipped(x, size - 1),
  reflection: (x, size, alignCorners) => {
    const span = alignCorners ? size - 1 : size;
    const inside = span === 0 ? x.mul(0) : mirrored(x, alignCorners ? 0 : -0.5, span);
    return clipped(inside, size - 1);
  },
};

type Pad = (x: Tensor) => Tensor;

/** Per mode, the elements that take part. Positions are constants: gradients go through the weights alone. */
const tapsOf: Readonly<Record<SamplingMode, (x: Tensor, pad: Pad) => Tap[]>> = {
  nearest: (x, pad) => {
    const position = pad(x.detach()).round();
    return [{ position, weight: position.newFull([], 1).expand(position.shape) }];
  },
  bilinear: (x, pad) => {
    const inside = pad(x);
    const base = inside.detach().floor();
    const share = inside.sub(base);
    return [
      { position: base, weight: share.rsub(1) },
      { position: base.add(1), weight: share },
    ];
  },
  bicubic: (x, pad) => {
    const base = x.detach().floor();
    const share = x.sub(base);
    const weights = [cubicFar(share.add(1)), cubicNear(share), cubicNear(share.rsub(1)), cubicFar(share.rsub(2))];
    return weights.map((weight, i) => ({ position: pad(base.add(i - 1)), weight }));
  },
};

const OP = 'gridSample';

function check(x: Tensor, grid: Tensor, { mode = 'bilinear', paddingMode = 'zeros' }: GridSampleOptions): void {
  const rank = x.ndim - 2;
  const fits = (rank === 2 || rank === 3) && grid.ndim === x.ndim && grid.shape[0] === x.shape[0] && grid.shape.at(-1) === rank;
  if (!fits || x.shape.slice(2).includes(0)) {
    throw new ShapeError(
      `${OP}: the input is ${shapeString(x.shape)} and the grid ${shapeString(grid.shape)}; expected [N, C, H, W] and ` +
        '[N, H′, W′, 2], or [N, C, D, H, W] and [N, D′, H′, W′, 3]',
      { op: OP, shapes: [x.shape, grid.shape] },
    );
  }
  if (x.dtype !== grid.dtype) {
    throw new DTypeError(`${OP}: the input is ${x.dtype} and the grid ${grid.dtype}; use grid.to('${x.dtype}')`, {
      op: OP,
      dtypes: [x.dtype, grid.dtype],
    });
  }
  if (!Object.hasOwn(tapsOf, mode) || !Object.hasOwn(padded, paddingMode)) {
    throw new ValueError(
      `${OP}: mode must be one of ${Object.keys(tapsOf).join(', ')} and paddingMode one of ${Object.keys(padded).join(', ')}, ` +
        `got '${String(mode)}' and '${String(paddingMode)}'`,
      { op: OP },
    );
  }
  if (mode === 'bicubic' && rank !== 2) throw new ShapeError(`${OP}: mode 'bicubic' is for images, got ${shapeString(x.shape)}`, { op: OP });
}

/**
 * The values of images at the places that a grid names. Places go from −1 to 1, the last dimension holds x, y (and z).
 * @shape [N, C, H, W], [N, H', W', 2] -> [N, C, H', W'], or with a further dimension for volumes
 * @derivative to the image and, but for mode 'nearest', to the grid
 * @throws ShapeError, DTypeError when image and grid do not fit; ValueError for an unknown mode
 * @source torch.nn.functional.grid_sample
 */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = none): Tensor {
  checkOptions('gridSample', options, gridSampleNames);
  check(x, grid, options);
  const { mode = 'bilinear', paddingMode = 'zeros' } = options;
  const alignCorners = options.alignCorners === true;
  const [batch, channels, ...sizes] = x.shape as [number, number, ...number[]];
  const places = grid.shape.slice(1, -1);
  const count = numel(places);
  const steps = contiguousStrides(sizes);
  // The last dimension of the image is the first coordinate.
  const axes = sizes.map((size, d) => {
    const along = grid.select(-1, sizes.length - 1 - d).reshape([batch, count]);
    const factor = alignCorners ? (size - 1) / 2 : size / 2;
    const place = placed(along, factor, (size - 1) / 2);
    const taps = tapsOf[mode](place, (position) => padded[paddingMode](position, size, alignCorners));
    return taps.map(({ position, weight }) => ({
      index: insideIndex(position, size - 1).to('int32').mul(steps[d]!),
      weight: insideWeight(weight, position, size - 1),
    }));
  });
  const corners = axes.reduce((all, taps) =>
    all.flatMap((corner) => taps.map((tap) => ({ index: corner.index.add(tap.index), weight: corner.weight.mul(tap.weight) }))),
  );
  // With the channels last, an element of all channels is a row, which one index picks.
  const area = numel(sizes);
  const pixels = x.reshape([batch, channels, area]).permute(0, 2, 1).reshape([batch * area, channels]);
  const firsts = grid.detach().newFrom(Int32Array.from({ length: batch }, (_, n) => n * area), 'int32', [batch, 1]);
  const parts = corners.map(({ index, weight }) => {
    const picked = pixels.indexSelect(0, index.add(firsts).reshape([batch * count]));
    return picked.mul(weight.reshape([batch * count, 1]));
  });
  const sampled = parts.reduce((sum, part) => sum.add(part)).reshape([batch, count, channels]);
  return sampled.permute(0, 2, 1).reshape([batch, channels, ...places]);
}

/**
 * The grid that `gridSample` reads an image by to move it as affine matrices say.
 * @param size of the result, [N, C, H, W] or [N, C, D, H, W]
 * @shape [N, 2, 3] -> [N, H, W, 2], or [N, 3, 4] -> [N, D, H, W, 3]
 * @throws ShapeError when the matrices do not fit the size
 * @source torch.nn.functional.affine_grid
 */
export function affineGrid(theta: Tensor, size: readonly number[], options: Pick<GridSampleOptions, 'alignCorners'> = none): Tensor {
  checkOptions('affineGrid', options, { alignCorners: 1 });
  const [batch, , ...sizes] = size as readonly [number, number, ...number[]];
  const rank = sizes.length;
  if ((rank !== 2 && rank !== 3) || theta.ndim !== 3 || theta.shape[0] !== batch || theta.shape[1] !== rank || theta.shape[2] !== rank + 1) {
    throw new ShapeError(
      `affineGrid: theta is ${shapeString(theta.shape)} and the size ${shapeString(size)}; expected [N, 2, 3] for [N, C, H, W], ` +
        'or [N, 3, 4] for [N, C, D, H, W]',
      { op: 'affineGrid', shapes: [theta.shape, size] },
    );
  }
  const count = numel(sizes);
  const steps = contiguousStrides(sizes);
  const base = new Float64Array(count * (rank + 1)).fill(1);
  for (let i = 0; i < count; i++) {
    for (let d = 0; d < rank; d++) {
      const n = sizes[d]!;
      const at = Math.floor(i / steps[d]!) % n;
      const edge = n > 1 ? (2 * at) / (n - 1) - 1 : 0;
      base[i * (rank + 1) + rank - 1 - d] = options.alignCorners === true ? edge : (edge * (n - 1)) / n;
    }
  }
  const points = theta.detach().newFrom(base, 'float64', [1, count, rank + 1]).to(theta.dtype);
  return points.matmul(theta.transpose(1, 2)).reshape([batch, ...sizes, rank]);
}
