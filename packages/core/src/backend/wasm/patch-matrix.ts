import { addressOf } from '../../storage.ts';
import type { ConvolutionWindow, Strided } from '../types.ts';
import { type Plan, planOf } from './convolution-plan.ts';
import { product } from './gemm.ts';
import { PaddedImages } from './image.ts';
import { patchKernels } from './patches.ts';
import { Scratch } from './scratch.ts';
import { weightGradient as panelWeightGradient } from './weight-gradient.ts';
import { reach } from './window.ts';
import { writeOffsets } from './window-patches.ts';
import { clear } from './zeros.ts';

const scratch = /* @__PURE__ */ new Scratch();

/** Bytes of patches that are written at a time: they are still in the second cache when they are multiplied. */
const BLOCK_BYTES = 2 ** 19;
/** Windows that are written at a time at least. */
const FEWEST_WINDOWS = 64;
/** With fewer filters per group, writing patches takes longer than multiplying them. */
const FEWEST_FILTERS = 4;

/** Some patches of one group of one image: a row per tap, `rowBytes` apart, of `width` dense windows from `first` on. */
type Use = (image: number, group: number, matrix: number, rowBytes: number, first: number, width: number) => void;

/** Writes all patches of x, block by block, as plain matrices. */
function eachBlock(plan: Plan, x: Strided, use: Use): void {
  const { dtype, bytes, taps, count, windows, images, groups, channels, window } = plan;
  addressOf(x.storage);
  const { copyPatches } = patchKernels(dtype);
  const image = new PaddedImages(x, reach(windows, window), window.padding, 1);
  const offsets = writeOffsets(plan, image);
  const block = blockOf(count, windows[2], taps * bytes);
  const matrix = scratch.take(taps * block * bytes);
  const [step, rowStep, planeStep] = image.steps(window.stride);
  const [, height, along] = windows;
  for (let n = 0; n < images; n++) {
    image.load(n, 1);
    for (let group = 0; group < groups; group++) {
      const base = image.at(n) + group * channels * image.channelBytes;
      for (let first = 0; first < count; first += block) {
        const width = Math.min(block, count - first);
        copyPatches(base, matrix, offsets, taps, first, width, along, height, step, rowStep, planeStep);
        use(n, group, matrix, width * bytes, first, width);
      }
    }
  }
}

/** How many windows to write at a time: whole rows of them, unless a row is too much. */
function blockOf(count: number, row: number, bytes: number): number {
  const windows = Math.max(FEWEST_WINDOWS, Math.floor(BLOCK_BYTES / bytes));
  return Math.min(count, windows > row ? windows - (windows % row) : windows);
}

/** out[N, O, *] = x[N, C, *] * w[O, C/groups, *], by products of plain matrices. */
export function forward(out: Strided, x: Strided, w: Strided, window: ConvolutionWindow): void {
  const plan = planOf(x, w, out, window);
  const { dtype, bytes, filters, taps, count, groups } = plan;
  const outAt = addressOf(out.storage) + out.offset * bytes;
  const wAt = addressOf(w.storage) + w.offset * bytes;
  if (taps === 0) return clear(out);
  eachBlock(plan, x, (n, group, matrix, rowBytes, first, width) => {
    const a = wAt + group * filters * taps * bytes;
    const c = outAt + ((n * groups + group) * filters * count + first) * bytes;
    product.gemm(dtype, filters, width, taps, a, taps * bytes, bytes, matrix, rowBytes, bytes, c, count * bytes, false);
  });
}

/** out[O, C/groups, *] = Σ g[N, O, *] x[N, C, *], by products of plain matrices. */
export function weightGradient(out: Strided, g: Strided, x: Strided, window: ConvolutionWindow): void {
  const plan = planOf(x, out, g, window);
  const { dtype, bytes, filters, taps, count, images, groups } = plan;
  const outAt = addressOf(out.storage) + out.offset * bytes;
  const gAt = addressOf(g.storage) + g.offset * bytes;
  if (images === 0 || count === 0) return clear(out);
  if (filters < FEWEST_FILTERS) return panelWeightGradient(out, g, x, window);
  eachBlock(plan, x, (n, group, matrix, rowBytes, first, width) => {
    const a = gAt + ((n * groups + group) * filters * count + first) * bytes;
    const c = outAt + group * filters * taps * bytes;
    const adds = n > 0 || first > 0;
    product.gemm(dtype, filters, taps, width, a, count * bytes, bytes, matrix, bytes, rowBytes, c, taps * bytes, adds);
  });
}
