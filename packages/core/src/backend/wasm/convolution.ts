import { dtypeInfo } from '../../dtype.ts';
import { views } from '../../heap.ts';
import { contiguousStrides, numel } from '../../shape.ts';
import { addressOf, freeStorage, hostArray, Storage } from '../../storage.ts';
import type { ConvolutionWindow, Strided } from '../types.ts';
import { type Plan, planNanoseconds, planOf } from './convolution-plan.ts';
import { copy } from './copy.ts';
import { throughFloats } from './dense.ts';
import { floatTypes } from './floats.ts';
import { blockOf, gemm, product } from './gemm.ts';
import { PaddedImages, roomFor } from './image.ts';
import { LeftRows, takePanels } from './left-rows.ts';
import { patchKernels } from './patches.ts';
import { reduce } from './reduce.ts';
import { Scratch } from './scratch.ts';
import { spareBytes } from './strip.ts';
import { tileColumns } from './tile.ts';
import { reach, tapOffsets } from './window.ts';
import { alone, eachPiece, type Work, workOf } from './work.ts';

const offsetTable = new Scratch();
const patches = new Scratch();

/** Windows whose patches are packed at a time. */
const WINDOW_BLOCK = 512;
/** So long a call takes at least where there would otherwise be very many. */
const CALL_NANOSECONDS = 3_000;
/** Windows of a task at least. */
const LEAST_WINDOWS = 64;

/** A product of dense operands with patches of the second or third. */
export type PatchProduct = (out: Strided, left: Strided, right: Strided, window: ConvolutionWindow) => void;

/** How a convolution and its transpose in w multiply. */
export interface PatchProducts {
  forward: PatchProduct;
  weightGradient: PatchProduct;
}

/** What multiplies now; `replaceProducts` puts other ways in their place. */
export const patchProducts: PatchProducts = { forward, weightGradient };
/** What multiplies unless replaced. */
export const ownPatchProducts: Readonly<PatchProducts> = { forward, weightGradient };

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
  const work = workOf(planNanoseconds(plan));
  const { packWindows } = work.kernels(patchKernels(dtype));
  const image = new PaddedImages(x, reach(windows, plan.window), plan.window.padding, work === alone ? 1 : images);
  const offsets = writeOffsets(plan, image);
  const depthBlock = blockOf(taps);
  const weights = new LeftRows(plan, taps * bytes, groups * taps, work);
  for (let group = 0; group < groups; group++) {
    for (let p = 0; p < taps; p += depthBlock) {
      const from = wAt + (group * filters * taps + p) * bytes;
      weights.set(group * taps + p, from, Math.min(depthBlock, taps - p));
    }
  }
  work.run();
  const [step, rowStep, planeStep] = image.steps(plan.window.stride);
  const [, height, along] = windows;
  /** Computes windows `from` to `end` of some images and all groups. */
  const multiply = (firstImage: number, endImage: number, from: number, end: number): void => {
    const spare = takePanels(plan, depthBlock, Math.min(end - from, WINDOW_BLOCK), work.inside());
    const columns = spare + spareBytes();
    for (let n = firstImage; n < endImage; n++) {
      for (let group = 0; group < groups; group++) {
        const base = image.at(n) + group * plan.channels * image.channelBytes;
        const c = outAt + (n * groups + group) * filters * count * bytes;
        const a = wAt + group * filters * taps * bytes;
        for (let first = from; first < end; first += WINDOW_BLOCK) {
          const width = Math.min(WINDOW_BLOCK, end - first);
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
  };
  for (let start = 0; start < images; start += image.room) {
    const held = Math.min(image.room, images - start);
    image.load(start, held);
    eachPiece(work.width, held, 1, 1, (n, some) => {
      eachPiece(Math.ceil(work.width / held), count, tileColumns(floatTypes[dtype]), LEAST_WINDOWS, (first, size) => {
        work.task();
        multiply(start + n, start + n + some, first, first + size);
      });
    });
    work.run();
  }
}

/** The transpose in w of a convolution, by products of packed panels. */
export function weightGradient(out: Strided, g: Strided, x: Strided, window: ConvolutionWindow): void {
  const plan = planOf(x, out, g, window);
  const { dtype, bytes, filters, taps, count, windows, images, groups } = plan;
  if (images === 0 || count === 0) return clear(out);
  const size = groups * filters * taps;
  const perPart = imagesPerPart(plan);
  const parts = Math.ceil(images / perPart);
  const outAt = parts > 1 ? partSums.take(parts * size * bytes) : addressOf(out.storage) + out.offset * bytes;
  const gAt = addressOf(g.storage) + g.offset * bytes;
  addressOf(x.storage);
  const work = workOf(planNanoseconds(plan));
  const { packTaps } = work.kernels(patchKernels(dtype));
  // Threads share rows of gradients that were packed before; alone, each piece is packed when its turn comes.
  const isAlone = work === alone;
  const most = isAlone ? 1 : roomFor(groups * filters * count * bytes, images);
  const image = new PaddedImages(x, reach(windows, plan.window), plan.window.padding, most);
  const offsets = writeOffsets(plan, image);
  const depthBlock = blockOf(count);
  const gradients = new LeftRows(plan, count * bytes, isAlone ? depthBlock : image.room * groups * count, work);
  const [step, rowStep, planeStep] = image.steps(plan.window.stride);
  const [, height, along] = windows;
  // A call for all taps that is short already is not divided any further than into two.
  const across = Math.max(2, Math.floor(planNanoseconds({ ...plan, images: 1, groups: 1, count: depthBlock }) / CALL_NANOSECONDS));
  let start = 0;
  /** Calls the body for each piece of a row of gradients: where it is packed, and where it starts. */
  const eachGradient = (
    n: number,
    group: number,
    body: (position: number, from: number, first: number, depth: number) => void,
  ): void => {
    const row = n * groups + group;
    for (let first = 0; first < count; first += depthBlock) {
      const from = gAt + (row * filters * count + first) * bytes;
      const position = isAlone ? 0 : (row - start * groups) * count + first;
      body(position, from, first, Math.min(depthBlock, count - first));
    }
  };
  for (; start < images; start += image.room) {
    const end = Math.min(images, start + image.room);
    image.load(start, end - start);
    for (let n = isAlone ? end : start; n < end; n++) {
      for (let group = 0; group < groups; group++) {
        eachGradient(n, group, (position, from, _first, depth) => gradients.set(position, from, depth));
      }
    }
    work.run();
    // Threads divide parts, groups and taps, so that sums over the images of a part are taken in their order.
    for (let part = Math.floor(start / perPart); part * perPart < end; part++) {
      const [firstImage, endImage] = [Math.max(start, part * perPart), Math.min(end, (part + 1) * perPart)];
      eachPiece(work.width, groups, 1, 1, (firstGroup, some) => {
        const pieces = Math.min(across, Math.floor(work.width / groups / parts));
        eachPiece(pieces, taps, tileColumns(floatTypes[dtype]), 1, (tap, width) => {
          work.task();
          const spare = takePanels(plan, depthBlock, width, work.inside());
          const columns = spare + spareBytes();
          for (let group = firstGroup; group < firstGroup + some; group++) {
            const c = outAt + (part * size + group * filters * taps + tap) * bytes;
            for (let n = firstImage; n < endImage; n++) {
              const base = image.at(n) + group * plan.channels * image.channelBytes;
              eachGradient(n, group, (position, from, first, depth) => {
                if (isAlone) gradients.set(position, from, depth);
                packTaps(columns, base, offsets + tap * 4, width, first, depth, along, height, step, rowStep, planeStep);
                const adds = n > part * perPart || first > 0;
                gradients.multiply(position, from, depth, width, columns, c, taps * bytes, adds, spare);
              });
            }
          }
        });
      });
    }
    work.run();
  }
  if (parts > 1) addParts(out, parts);
}

/** Parts of the images whose sums are added up at the end: at most so many, and how long one takes at least. */
const MOST_PARTS = 16;
const PART_NANOSECONDS = 12_000;
/** What takes longer for an image than this is divided by taps as well. */
const SMALL_NANOSECONDS = 100_000;
/** Bytes of all sums at most, and windows per sum at least, so that adding them up costs next to nothing. */
const PART_BYTES = 1 << 20;
const PART_WINDOWS = 64;
const partSums = new Scratch();

/** How many images are summed at a time for gradients of filters. It depends on sizes alone, so that sums do, too. */
function imagesPerPart(plan: Plan): number {
  const { images, groups, filters, taps, count, bytes } = plan;
  const nanoseconds = planNanoseconds(plan);
  if (nanoseconds > images * SMALL_NANOSECONDS) return images;
  const limits = [
    MOST_PARTS,
    images,
    nanoseconds / PART_NANOSECONDS,
    (images * count) / PART_WINDOWS,
    PART_BYTES / (groups * filters * taps * bytes),
  ];
  return Math.ceil(images / Math.max(1, Math.floor(Math.min(...limits))));
}

/** out = the sum of the parts, in their order. */
function addParts(out: Strided, parts: number): void {
  const size = numel(out.shape);
  const { dtype } = out;
  const sums: Strided = { storage: partSums.held, offset: 0, shape: [parts, size], strides: [size, 1], dtype };
  reduce('sum', { ...out, shape: [1, size], strides: [size, 1] }, sums, [0]);
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
  // A product by others can't be put on a list.
  const work = images > 1 && product.gemm === gemm ? workOf(planNanoseconds(plan)) : alone;
  const { addPatches } = work.kernels(patchKernels(dtype));
  const most = work === alone ? 1 : images;
  const image = new PaddedImages(out, reach(windows, plan.window), plan.window.padding, most, true);
  if (!image.isWhole) clear(out);
  const offsets = writeOffsets(plan, image);
  const block = Math.max(64, Math.min(count, Math.floor((WINDOW_BLOCK * 256) / taps)));
  const row = taps * bytes;
  const [step, rowStep, planeStep] = image.steps(plan.window.stride);
  const [, height, along] = windows;
  const addImage = (n: number, matrix: number, within: Work | null): void => {
    for (let group = 0; group < groups; group++) {
      const base = image.at(n) + group * plan.channels * image.channelBytes;
      const a = wAt + group * filters * taps * bytes;
      const b = gAt + (n * groups + group) * filters * count * bytes;
      for (let first = 0; first < count; first += block) {
        const width = Math.min(block, count - first);
        const right = b + first * bytes;
        const [line, distance] = [width * bytes, count * bytes];
        if (within === null) product.gemm(dtype, taps, width, filters, a, bytes, row, right, distance, bytes, matrix, line, false);
        else gemm(dtype, taps, width, filters, a, bytes, row, right, distance, bytes, matrix, line, false, within);
        addPatches(base, matrix, offsets, taps, first, width, along, height, step, rowStep, planeStep);
      }
    }
  };
  for (let start = 0; start < images; start += image.room) {
    const held = Math.min(image.room, images - start);
    image.start(start);
    image.clear();
    eachPiece(work.width, held, 1, 1, (first, some) => {
      work.task();
      const inside = work.inside();
      const matrix = inside.take(patches, taps * Math.min(count, block) * bytes);
      for (let n = start + first; n < start + first + some; n++) {
        addImage(n, matrix, work === alone ? null : inside.inside());
      }
    });
    work.run();
    image.store(start, held);
  }
}

/** Writes where the taps are, in bytes from a window's start, and gives the table's address. */
export function writeOffsets(plan: Plan, image: PaddedImages): number {
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
