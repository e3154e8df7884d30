import { dtypeInfo } from '../../dtype.ts';
import { views } from '../../heap.ts';
import { numel } from '../../shape.ts';
import { addressOf, hostArray } from '../../storage.ts';
import type { ConvolutionWindow, Strided } from '../types.ts';
import { throughFloats } from './dense.ts';
import { type FloatDType, floatTypes } from './floats.ts';
import { blockOf, gemm, gemmKernels, M_BLOCK, spareBytes } from './gemm.ts';
import { PaddedImage } from './image.ts';
import { patchKernels } from './patches.ts';
import { Scratch } from './scratch.ts';
import { tileColumns, tileRows } from './tile.ts';
import {
  reach,
  type Spatial,
  spatialWindow,
  type SpatialWindow,
  tapOffsets,
  withThreeDims,
} from './window.ts';

/** What the three products of a convolution have in common. */
interface Plan {
  readonly dtype: FloatDType;
  readonly bytes: number;
  readonly images: number;
  readonly groups: number;
  /** Channels of x per group. */
  readonly channels: number;
  /** Channels of the result per group. */
  readonly filters: number;
  /** Rows of the matrix of patches: channels times places in the window. */
  readonly taps: number;
  readonly window: SpatialWindow;
  /** Windows per dimension, and all of them. */
  readonly windows: Spatial;
  readonly count: number;
}

function planOf(x: Strided, w: Strided, out: Strided, window: ConvolutionWindow): Plan {
  const dtype = x.dtype as FloatDType;
  const { groups } = window;
  const [, , ...windows] = withThreeDims(out).shape as [number, number, number, number, number];
  return {
    dtype,
    bytes: dtypeInfo[dtype].bytes,
    images: x.shape[0]!,
    groups,
    channels: w.shape[1]!,
    filters: w.shape[0]! / groups,
    taps: numel(w.shape.slice(1)),
    window: spatialWindow(window),
    windows,
    count: numel(windows),
  };
}

const offsetTable = new Scratch();
const panels = new Scratch();
const packedRows = new Scratch();
const patches = new Scratch();

/** Windows whose patches are packed at a time. */
const WINDOW_BLOCK = 512;

/** out[N, O, *] = x[N, C, *] * w[O, C/groups, *]. */
export function convolution(out: Strided, x: Strided, w: Strided, window: ConvolutionWindow): void {
  if (numel(out.shape) === 0) return;
  throughFloats([out], [x, w], ([dense], [input, weight]) => forward(dense!, input!, weight!, window));
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
    weightGradient(dense!, gradient!, input!, window),
  );
}

function forward(out: Strided, x: Strided, w: Strided, window: ConvolutionWindow): void {
  const plan = planOf(x, w, out, window);
  const { dtype, bytes, filters, taps, count, windows, images, groups } = plan;
  const outAt = addressOf(out.storage) + out.offset * bytes;
  const wAt = addressOf(w.storage) + w.offset * bytes;
  addressOf(x.storage);
  if (taps === 0) return clear(out);
  const kernels = gemmKernels(dtype);
  const { packWindows } = patchKernels(dtype);
  const image = new PaddedImage(x, reach(windows, plan.window), plan.window.padding);
  const offsets = writeOffsets(plan, image);
  const depthBlock = blockOf(taps);
  const rowPanels = Math.ceil(filters / tileRows()) * tileRows();
  const rows = packedRows.take(groups * rowPanels * taps * bytes);
  const widthBlock = Math.min(count, WINDOW_BLOCK) + tileColumns(floatTypes[dtype]);
  const spare = panels.take(spareBytes() + depthBlock * widthBlock * bytes);
  const columns = spare + spareBytes();
  for (let group = 0; group < groups; group++) {
    for (let p = 0; p < taps; p += depthBlock) {
      const to = rows + (group * taps + p) * rowPanels * bytes;
      const from = wAt + (group * filters * taps + p) * bytes;
      kernels.packRows(to, from, bytes, taps * bytes, Math.min(depthBlock, taps - p), filters);
    }
  }
  const [step, rowStep, planeStep] = image.steps(plan.window.stride);
  for (let n = 0; n < images; n++) {
    image.load(n);
    for (let group = 0; group < groups; group++) {
      const base = image.address + group * plan.channels * image.channelBytes;
      const c = outAt + (n * groups + group) * filters * count * bytes;
      for (let first = 0; first < count; first += WINDOW_BLOCK) {
        const width = Math.min(WINDOW_BLOCK, count - first);
        for (let p = 0; p < taps; p += depthBlock) {
          const depth = Math.min(depthBlock, taps - p);
          const table = offsets + p * 4;
          const [, height, along] = windows;
          packWindows(columns, base, table, depth, first, width, along, height, step, rowStep, planeStep);
          const a = rows + (group * taps + p) * rowPanels * bytes;
          for (let i = 0; i < filters; i += M_BLOCK) {
            const some = Math.min(M_BLOCK, filters - i);
            const to = c + (i * count + first) * bytes;
            const add = p === 0 ? 0 : 1;
            kernels.block(some, width, depth, a + i * depth * bytes, columns, to, count * bytes, add, spare);
          }
        }
      }
    }
  }
}

function weightGradient(out: Strided, g: Strided, x: Strided, window: ConvolutionWindow): void {
  const plan = planOf(x, out, g, window);
  const { dtype, bytes, filters, taps, count, windows, images, groups } = plan;
  const outAt = addressOf(out.storage) + out.offset * bytes;
  const gAt = addressOf(g.storage) + g.offset * bytes;
  addressOf(x.storage);
  if (images === 0 || count === 0) return clear(out);
  const kernels = gemmKernels(dtype);
  const { packTaps } = patchKernels(dtype);
  const image = new PaddedImage(x, reach(windows, plan.window), plan.window.padding);
  const offsets = writeOffsets(plan, image);
  const depthBlock = blockOf(count);
  const rows = packedRows.take((Math.min(filters, M_BLOCK) + tileRows()) * depthBlock * bytes);
  const spare = panels.take(spareBytes() + depthBlock * (taps + tileColumns(floatTypes[dtype])) * bytes);
  const columns = spare + spareBytes();
  const [step, rowStep, planeStep] = image.steps(plan.window.stride);
  const [, height, along] = windows;
  for (let n = 0; n < images; n++) {
    image.load(n);
    for (let group = 0; group < groups; group++) {
      const base = image.address + group * plan.channels * image.channelBytes;
      const channel = (n * groups + group) * filters;
      for (let first = 0; first < count; first += depthBlock) {
        const depth = Math.min(depthBlock, count - first);
        packTaps(columns, base, offsets, taps, first, depth, along, height, step, rowStep, planeStep);
        for (let i = 0; i < filters; i += M_BLOCK) {
          const some = Math.min(M_BLOCK, filters - i);
          const from = gAt + ((channel + i) * count + first) * bytes;
          kernels.packRows(rows, from, bytes, count * bytes, depth, some);
          const to = outAt + (group * filters + i) * taps * bytes;
          const add = n === 0 && first === 0 ? 0 : 1;
          kernels.block(some, taps, depth, rows, columns, to, taps * bytes, add, spare);
        }
      }
    }
  }
}

function inputGradient(out: Strided, g: Strided, w: Strided, window: ConvolutionWindow): void {
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
        gemm(
          dtype,
          taps,
          width,
          filters,
          a,
          bytes,
          row,
          b + first * bytes,
          count * bytes,
          bytes,
          matrix,
          width * bytes,
        );
        addPatches(base, matrix, offsets, taps, first, width, along, height, step, rowStep, planeStep);
      }
    }
    image.store(n);
  }
}

/** Writes where the taps are, in bytes from a window's start, and gives the table's address. */
function writeOffsets(plan: Plan, image: PaddedImage): number {
  const [column, row, plane] = image.steps([1, 1, 1]);
  const offsets = tapOffsets(plan.channels, image.channelBytes, plan.window, [plane, row, column]);
  const table = offsetTable.take(offsets.length * 4);
  views.i32.set(offsets, table / 4);
  return table;
}

function clear(out: Strided): void {
  hostArray(out.storage, out.dtype).fill(0, out.offset, out.offset + numel(out.shape));
}
