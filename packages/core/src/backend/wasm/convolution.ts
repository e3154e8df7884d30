import { dtypeInfo } from '../../dtype.ts';
import { views } from '../../heap.ts';
import { contiguousStrides, numel } from '../../shape.ts';
import { addressOf, freeStorage, hostArray, Storage } from '../../storage.ts';
import type { ConvolutionWindow, Strided } from '../types.ts';
import { type Plan, planOf } from './convolution-plan.ts';
import { copy } from './copy.ts';
import { throughFloats } from './dense.ts';
import { blockOf, product } from './gemm.ts';
import { PaddedImage } from './image.ts';
import { LeftRows, takePanels } from './left-rows.ts';
import { patchKernels } from './patches.ts';
import { Scratch } from './scratch.ts';
import { spareBytes } from './strip.ts';
import { reach, tapOffsets } from './window.ts';

const offsetTable = new Scratch();
const patches = new Scratch();

/** Windows whose patches are packed at a time. */
const WINDOW_BLOCK = 512;

/** A product of dense operands with patches of the second or third. */
export type PatchProduct = (out: Strided, left: Strided, right: Strided, window: ConvolutionWindow) => void;

/** How a convolution and its transpose in w multiply; `replaceProducts` puts other ways in their place. */
export const patchProducts: { forward: PatchProduct; weightGradient: PatchProduct } = { forward, weightGradient };

/** out[N, O, *] = x[N, C, *] * w[O, C/groups, *]. */
export function convolution(out: Strided, x: Strided, w: Strided, window: ConvolutionWindow): void {
  if (numel(out.shape) === 0) return;
  throughFloats([out], [x, w], ([dense], [input, weight]) =>
    patchProducts.forward(dense!, input!, weight!, window),
  );
}

/** Its transpose in x: out[N, C, *] = Σ g[N, O, *] w[O, C/groups, *]. */
export function convolutionInput(out: Strided, g: Strided, w: Strided, window: ConvolutionWindow): void {
  if (numel(out.shape) === 0) return;
  throughFloats([out], [g, w], ([dense], [gradient, weight]) =>
    inputGradient(dense!, gradient!, weight!, window),
  );
}

/** Its transpose in w: out[O, C/groups, *] = Σ g[N, O, *] x[N, C, *]. */
export function convolutionWeight(out: Strided, g: Strided, x: Strided, window: ConvolutionWindow): void {
  if (numel(out.shape) === 0) return;
  throughFloats([out], [g, x], ([dense], [gradient, input]) =>
    patchProducts.weightGradient(dense!, gradient!, input!, window),
  );
}

function forward(out: Strided, x: Strided, w: Strided, window: ConvolutionWindow): void {
  const plan = planOf(x, w, out, window);
  const { dtype, bytes, filters, taps, count, windows, images, groups } = plan;
  const outAt = addressOf(out.storage) + out.offset * bytes;
  const wAt = addressOf(w.storage) + w.offset * bytes;
  addressOf(x.storage);
  if (taps === 0) return clear(out);
  const { packWindows } = patchKernels(dtype);
  const image = new PaddedImage(x, reach(windows, plan.window), plan.window.padding);
  const offsets = writeOffsets(plan, image);
  const depthBlock = blockOf(taps);
  const weights = new LeftRows(plan, taps * bytes, groups * taps);
  for (let group = 0; group < groups; group++) {
    for (let p = 0; p < taps; p += depthBlock) {
      const from = wAt + (group * filters * taps + p) * bytes;
      weights.set(group * taps + p, from, Math.min(depthBlock, taps - p));
    }
  }
  const spare = takePanels(plan, depthBlock, Math.min(count, WINDOW_BLOCK));
  const columns = spare + spareBytes();
  const [step, rowStep, planeStep] = image.steps(plan.window.stride);
  const [, height, along] = windows;
  for (let n = 0; n < images; n++) {
    image.load(n);
    for (let group = 0; group < groups; group++) {
      const base = image.address + group * plan.channels * image.channelBytes;
      const c = outAt + (n * groups + group) * filters * count * bytes;
      const a = wAt + group * filters * taps * bytes;
      for (let first = 0; first < count; first += WINDOW_BLOCK) {
        const width = Math.min(WINDOW_BLOCK, count - first);
        for (let p = 0; p < taps; p += depthBlock) {
          const depth = Math.min(depthBlock, taps - p);
          const table = offsets + p * 4;
          packWindows(columns, base, table, depth, first, width, along, height, step, rowStep, planeStep);
          const to = c + first * bytes;
          const key = group * taps + p;
          weights.multiply(key, a + p * bytes, depth, width, columns, to, count * bytes, p > 0, spare);
        }
      }
    }
  }
}

/** The transpose in w of a convolution, by products of packed panels. */
export function weightGradient(out: Strided, g: Strided, x: Strided, window: ConvolutionWindow): void {
  const plan = planOf(x, out, g, window);
  const { dtype, bytes, filters, taps, count, windows, images, groups } = plan;
  const outAt = addressOf(out.storage) + out.offset * bytes;
  const gAt = addressOf(g.storage) + g.offset * bytes;
  addressOf(x.storage);
  if (images === 0 || count === 0) return clear(out);
  const { packTaps } = patchKernels(dtype);
  const image = new PaddedImage(x, reach(windows, plan.window), plan.window.padding);
  const offsets = writeOffsets(plan, image);
  const depthBlock = blockOf(count);
  const gradients = new LeftRows(plan, count * bytes, depthBlock);
  const spare = takePanels(plan, depthBlock, taps);
  const columns = spare + spareBytes();
  const [step, rowStep, planeStep] = image.steps(plan.window.stride);
  const [, height, along] = windows;
  for (let n = 0; n < images; n++) {
    image.load(n);
    for (let group = 0; group < groups; group++) {
      const base = image.address + group * plan.channels * image.channelBytes;
      const a = gAt + (n * groups + group) * filters * count * bytes;
      const c = outAt + group * filters * taps * bytes;
      for (let first = 0; first < count; first += depthBlock) {
        const depth = Math.min(depthBlock, count - first);
        packTaps(columns, base, offsets, taps, first, depth, along, height, step, rowStep, planeStep);
        const from = a + first * bytes;
        gradients.set(0, from, depth);
        gradients.multiply(0, from, depth, taps, columns, c, taps * bytes, n > 0 || first > 0, spare);
      }
    }
  }
}

/** Where groups have fewer input channels, adding patches up is faster than a convolution for so few rows. */
const SLIM = 8;

/** Without steps between windows it is a convolution itself. */
function inputGradient(out: Strided, g: Strided, w: Strided, window: ConvolutionWindow): void {
  const { kernel, stride, padding, dilation } = window;
  const mirrored = padding.map((p, d) => dilation[d]! * (kernel[d]! - 1) - p);
  const isSlim = w.shape[1]! < SLIM && w.shape[0] !== window.groups;
  if (!isSlim && stride.every((s) => s === 1) && mirrored.every((p) => p >= 0)) {
    const flipped = flip(w, window);
    patchProducts.forward(out, g, flipped, { ...window, padding: mirrored });
    freeStorage(flipped.storage);
    return;
  }
  addedPatches(out, g, w, window);
}

/** The weights that take the result back to the input: in and out change places, and windows are mirrored. */
function flip(w: Strided, { groups }: ConvolutionWindow): Strided {
  const [outer, inner, ...kernel] = w.shape as [number, number, ...number[]];
  const dense = contiguousStrides([groups, outer / groups, inner, ...kernel]);
  const [group, filter, channel, ...taps] = dense as [number, number, number, ...number[]];
  const shape = [groups, inner, outer / groups, ...kernel];
  const last = taps.reduce((sum, stride, d) => sum + stride * (kernel[d]! - 1), 0);
  const mirrored = [group, channel, filter, ...taps.map((stride) => -stride)];
  const storage = new Storage(numel(shape) * dtypeInfo[w.dtype].bytes);
  const target: Strided = { storage, offset: 0, shape, strides: contiguousStrides(shape), dtype: w.dtype };
  copy(target, { ...w, offset: w.offset + last, shape, strides: mirrored });
  const flat = [groups * inner, outer / groups, ...kernel];
  return { ...target, shape: flat, strides: contiguousStrides(flat) };
}

function addedPatches(out: Strided, g: Strided, w: Strided, window: ConvolutionWindow): void {
  const plan = planOf(out, w, g, window);
  const { dtype, bytes, filters, taps, count, windows, images, groups } = plan;
  const gAt = addressOf(g.storage) + g.offset * bytes;
  const wAt = addressOf(w.storage) + w.offset * bytes;
  addressOf(out.storage);
  if (count === 0 || filters === 0 || taps === 0) return clear(out);
  const { addPatches } = patchKernels(dtype);
  const image = new PaddedImage(out, reach(windows, plan.window), plan.window.padding, true);
  if (!image.isWhole) clear(out);
  const offsets = writeOffsets(plan, image);
  const block = Math.max(64, Math.min(count, Math.floor((WINDOW_BLOCK * 256) / taps)));
  const matrix = patches.take(taps * Math.min(count, block) * bytes);
  const [step, rowStep, planeStep] = image.steps(plan.window.stride);
  const [, height, along] = windows;
  for (let n = 0; n < images; n++) {
    image.clear();
    for (let group = 0; group < groups; group++) {
      const base = image.address + group * plan.channels * image.channelBytes;
      const a = wAt + group * filters * taps * bytes;
      const b = gAt + (n * groups + group) * filters * count * bytes;
      for (let first = 0; first < count; first += block) {
        const width = Math.min(block, count - first);
        const row = taps * bytes;
        const right = b + first * bytes;
        product.gemm(dtype, taps, width, filters, a, bytes, row, right, count * bytes, bytes, matrix, width * bytes, false);
        addPatches(base, matrix, offsets, taps, first, width, along, height, step, rowStep, planeStep);
      }
    }
    image.store(n);
  }
}

/** Writes where the taps are, in bytes from a window's start, and gives the table's address. */
export function writeOffsets(plan: Plan, image: PaddedImage): number {
  const [column, row, plane] = image.steps([1, 1, 1]);
  const offsets = tapOffsets(plan.channels, image.channelBytes, plan.window, [plane, row, column]);
  const table = offsetTable.take(offsets.length * 4);
  views.i32.set(offsets, table / 4);
  return table;
}

/** Fills a result with zeros. */
export function clear(out: Strided): void {
  hostArray(out.storage, out.dtype).fill(0, out.offset, out.offset + numel(out.shape));
}
