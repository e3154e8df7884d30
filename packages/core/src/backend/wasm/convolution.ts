import { dtypeInfo } from '../../dtype.ts';
import { views } from '../../heap.ts';
import { contiguousStrides, numel } from '../../shape.ts';
import { addressOf, freeStorage, hostArray, Storage } from '../../storage.ts';
import type { ConvolutionWindow, Strided } from '../types.ts';
import { type Plan, planNanoseconds, planOf } from './convolution-plan.ts';
import { copy } from './copy.ts';
import { isDenseFloat, throughFloats } from './dense.ts';
import { floatTypes } from './floats.ts';
import { blockOf, gemm, product } from './gemm.ts';
import { PaddedImages, roomFor } from './image.ts';
import { LeftRows, takePanels } from './left-rows.ts';
import { type PatchKernels, patchKernels } from './patches.ts';
import { reduce } from './reduce.ts';
import { Scratch } from './scratch.ts';
import { spareBytes } from './strip.ts';
import { tileColumns } from './tile.ts';
import { reach, tapOffsets } from './window.ts';
import { alone, cuts, type Work, workOf } from './work.ts';

const offsetTable = new Scratch();
const matrices = new Scratch();

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
  throughDense(patchProducts.forward, out, x, w, window);
}

/** Its transpose in x: out[N, C, *] = Σ g[N, O, *] w[O, C/groups, *]. */
export function convolutionInput(out: Strided, g: Strided, w: Strided, window: ConvolutionWindow): void {
  throughDense(inputGradient, out, g, w, window);
}

/** Its transpose in w: out[O, C/groups, *] = Σ g[N, O, *] x[N, C, *]. */
export function convolutionWeight(out: Strided, g: Strided, x: Strided, window: ConvolutionWindow): void {
  throughDense(patchProducts.weightGradient, out, g, x, window);
}

function throughDense(multiply: PatchProduct, out: Strided, left: Strided, right: Strided, window: ConvolutionWindow): void {
  if (numel(out.shape) === 0) return;
  if (isDenseFloat(out) && isDenseFloat(left) && isDenseFloat(right)) multiply(out, left, right, window);
  else throughFloats([out], [left, right], ([result], [a, b]) => multiply(result!, a!, b!, window));
}

/**
 * The last product of each kind. When collections of garbage find no such object, the engine throws the code away that it made
 * for them, and makes it again: for longer than the products take. Hence they are objects too, and not closures.
 */
const last: { forward?: Forward; weightGradient?: WeightGradient; patches?: AddedPatches } = {};

function forward(out: Strided, x: Strided, w: Strided, window: ConvolutionWindow): void {
  const plan = planOf(x, w, out, window);
  if (plan.taps === 0) return clear(out);
  last.forward = new Forward(plan, out, x, w);
  last.forward.run();
}

/** The transpose in w of a convolution, by products of packed panels. */
export function weightGradient(out: Strided, g: Strided, x: Strided, window: ConvolutionWindow): void {
  const plan = planOf(x, out, g, window);
  if (plan.images === 0 || plan.count === 0) return clear(out);
  last.weightGradient = new WeightGradient(plan, out, g, x);
  last.weightGradient.run();
}

/** Where a dense operand starts in the heap. */
function startOf(x: Strided, bytes: number): number {
  return addressOf(x.storage) + x.offset * bytes;
}

/** Padded images, and where windows and their taps lie in them. */
class Patches {
  readonly image: PaddedImages;
  /** Address of the table of taps. */
  readonly offsets: number;
  readonly step: number;
  readonly rowStep: number;
  readonly planeStep: number;
  readonly along: number;
  readonly height: number;
  private readonly channels: number;

  /** @param most how many images are wanted side by side */
  constructor(plan: Plan, images: Strided, most: number, isWritten = false) {
    const { windows, window } = plan;
    this.image = new PaddedImages(images, reach(windows, window), window.padding, most, isWritten);
    this.offsets = writeOffsets(plan, this.image);
    [this.step, this.rowStep, this.planeStep] = this.image.steps(window.stride);
    this.along = windows[2];
    this.height = windows[1];
    this.channels = plan.channels;
  }

  /** Where the first channel of a group of an image is. */
  at(n: number, group: number): number {
    return this.image.at(n) + group * this.channels * this.image.channelBytes;
  }
}

/** A convolution under way. */
class Forward {
  private readonly plan: Plan;
  private readonly work: Work;
  private readonly packWindows: PatchKernels['packWindows'];
  private readonly patches: Patches;
  private readonly weights: LeftRows;
  private readonly outAt: number;
  private readonly wAt: number;
  private readonly depthBlock: number;

  constructor(plan: Plan, out: Strided, x: Strided, w: Strided) {
    const { dtype, bytes, taps, images, groups } = plan;
    this.plan = plan;
    this.outAt = startOf(out, bytes);
    this.wAt = startOf(w, bytes);
    addressOf(x.storage);
    this.work = workOf(planNanoseconds(plan));
    this.packWindows = this.work.kernels(patchKernels(dtype)).packWindows;
    this.patches = new Patches(plan, x, this.work === alone ? 1 : images);
    this.depthBlock = blockOf(taps);
    this.weights = new LeftRows(plan, taps * bytes, groups * taps, this.work);
  }

  run(): void {
    const { work } = this;
    const { images, count, dtype } = this.plan;
    const { image } = this.patches;
    this.packWeights();
    for (let start = 0; start < images; start += image.room) {
      const held = Math.min(image.room, images - start);
      image.load(start, held);
      const among = cuts(work.width, held, 1, 1);
      const within = cuts(Math.ceil(work.width / held), count, tileColumns(floatTypes[dtype]), LEAST_WINDOWS);
      for (let i = 1; i < among.length; i++) {
        for (let k = 1; k < within.length; k++) {
          work.task();
          this.multiply(start + among[i - 1]!, start + among[i]!, within[k - 1]!, within[k]!);
        }
      }
      work.run();
    }
  }

  private packWeights(): void {
    const { bytes, filters, taps, groups } = this.plan;
    const { depthBlock } = this;
    for (let group = 0; group < groups; group++) {
      for (let p = 0; p < taps; p += depthBlock) {
        const from = this.wAt + (group * filters * taps + p) * bytes;
        this.weights.set(group * taps + p, from, Math.min(depthBlock, taps - p));
      }
    }
    this.work.run();
  }

  /** Computes windows `from` to `end` of some images and all groups. */
  private multiply(firstImage: number, endImage: number, from: number, end: number): void {
    const { plan, patches, weights, depthBlock, packWindows } = this;
    const { bytes, filters, taps, count, groups } = plan;
    const { offsets, along, height, step, rowStep, planeStep } = patches;
    const spare = takePanels(plan, depthBlock, Math.min(end - from, WINDOW_BLOCK), this.work.inside());
    const columns = spare + spareBytes();
    for (let n = firstImage; n < endImage; n++) {
      for (let group = 0; group < groups; group++) {
        const base = patches.at(n, group);
        const c = this.outAt + (n * groups + group) * filters * count * bytes;
        const a = this.wAt + group * filters * taps * bytes;
        for (let first = from; first < end; first += WINDOW_BLOCK) {
          const width = Math.min(WINDOW_BLOCK, end - first);
          for (let p = 0; p < taps; p += depthBlock) {
            const depth = Math.min(depthBlock, taps - p);
            packWindows(columns, base, offsets + p * 4, depth, first, width, along, height, step, rowStep, planeStep);
            const to = c + first * bytes;
            weights.multiply(group * taps + p, a + p * bytes, depth, width, columns, to, count * bytes, p > 0, spare);
          }
        }
      }
    }
  }
}

/** A transpose in w under way. */
class WeightGradient {
  private readonly plan: Plan;
  private readonly out: Strided;
  private readonly work: Work;
  private readonly packTaps: PatchKernels['packTaps'];
  private readonly patches: Patches;
  private readonly gradients: LeftRows;
  private readonly outAt: number;
  private readonly gAt: number;
  private readonly depthBlock: number;
  /** Sums are taken over so many images at a time, in so many parts. */
  private readonly perPart: number;
  private readonly parts: number;
  /** Threads share rows of gradients that were packed before; alone, each piece is packed when its turn comes. */
  private readonly isAlone: boolean;
  /** The first image that is there. */
  private start = 0;

  constructor(plan: Plan, out: Strided, g: Strided, x: Strided) {
    const { dtype, bytes, filters, count, images, groups } = plan;
    this.plan = plan;
    this.out = out;
    this.perPart = imagesPerPart(plan);
    this.parts = Math.ceil(images / this.perPart);
    this.outAt = this.parts > 1 ? partSums.take(this.parts * this.size * bytes) : startOf(out, bytes);
    this.gAt = startOf(g, bytes);
    addressOf(x.storage);
    this.work = workOf(planNanoseconds(plan));
    this.packTaps = this.work.kernels(patchKernels(dtype)).packTaps;
    this.isAlone = this.work === alone;
    this.patches = new Patches(plan, x, this.isAlone ? 1 : roomFor(groups * filters * count * bytes, images));
    this.depthBlock = blockOf(count);
    const room = this.isAlone ? this.depthBlock : this.patches.image.room * groups * count;
    this.gradients = new LeftRows(plan, count * bytes, room, this.work);
  }

  /** Elements of the result. */
  private get size(): number {
    const { groups, filters, taps } = this.plan;
    return groups * filters * taps;
  }

  run(): void {
    const { plan, work, perPart, parts } = this;
    const { dtype, taps, images, groups } = plan;
    const { image } = this.patches;
    // A call for all taps that is short already is not divided any further than into two.
    const oneCall = planNanoseconds({ ...plan, images: 1, groups: 1, count: this.depthBlock });
    const pieces = Math.min(Math.max(2, Math.floor(oneCall / CALL_NANOSECONDS)), Math.floor(work.width / groups / parts));
    const amongGroups = cuts(work.width, groups, 1, 1);
    const amongTaps = cuts(pieces, taps, tileColumns(floatTypes[dtype]), 1);
    for (this.start = 0; this.start < images; this.start += image.room) {
      const end = Math.min(images, this.start + image.room);
      image.load(this.start, end - this.start);
      if (!this.isAlone) this.packGradients(end);
      // Threads divide parts, groups and taps, so that sums over the images of a part are taken in their order.
      for (let part = Math.floor(this.start / perPart); part * perPart < end; part++) {
        for (let i = 1; i < amongGroups.length; i++) {
          for (let k = 1; k < amongTaps.length; k++) {
            work.task();
            this.multiply(part, end, amongGroups[i - 1]!, amongGroups[i]!, amongTaps[k - 1]!, amongTaps[k]!);
          }
        }
      }
      work.run();
    }
    if (parts > 1) addParts(this.out, parts);
  }

  private packGradients(end: number): void {
    const { groups, count } = this.plan;
    for (let row = this.start * groups; row < end * groups; row++) {
      for (let first = 0; first < count; first += this.depthBlock) this.packGradient(row, first);
    }
    this.work.run();
  }

  /** Packs the piece of a row of gradients that starts at a window. */
  private packGradient(row: number, first: number): void {
    this.gradients.set(this.positionOf(row, first), this.fromOf(row, first), Math.min(this.depthBlock, this.plan.count - first));
  }

  private positionOf(row: number, first: number): number {
    return this.isAlone ? 0 : (row - this.start * this.plan.groups) * this.plan.count + first;
  }

  private fromOf(row: number, first: number): number {
    const { filters, count, bytes } = this.plan;
    return this.gAt + (row * filters * count + first) * bytes;
  }

  /** Sums over the images of a part before `end`, for some groups and taps. */
  private multiply(part: number, end: number, firstGroup: number, endGroup: number, tap: number, endTap: number): void {
    const { plan, patches, gradients, depthBlock, packTaps, perPart } = this;
    const { bytes, filters, taps, count, groups } = plan;
    const { offsets, along, height, step, rowStep, planeStep } = patches;
    const width = endTap - tap;
    const spare = takePanels(plan, depthBlock, width, this.work.inside());
    const columns = spare + spareBytes();
    const [firstImage, endImage] = [Math.max(this.start, part * perPart), Math.min(end, (part + 1) * perPart)];
    for (let group = firstGroup; group < endGroup; group++) {
      const c = this.outAt + (part * this.size + group * filters * taps + tap) * bytes;
      for (let n = firstImage; n < endImage; n++) {
        const base = patches.at(n, group);
        const row = n * groups + group;
        for (let first = 0; first < count; first += depthBlock) {
          const depth = Math.min(depthBlock, count - first);
          if (this.isAlone) this.packGradient(row, first);
          packTaps(columns, base, offsets + tap * 4, width, first, depth, along, height, step, rowStep, planeStep);
          const adds = n > part * perPart || first > 0;
          const [position, from] = [this.positionOf(row, first), this.fromOf(row, first)];
          gradients.multiply(position, from, depth, width, columns, c, taps * bytes, adds, spare);
        }
      }
    }
  }
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
  if (plan.count === 0 || plan.filters === 0 || plan.taps === 0) return clear(out);
  last.patches = new AddedPatches(plan, out, g, w);
  last.patches.run();
}

/** A transpose in x under way, by products that are added up where the windows overlap. */
class AddedPatches {
  private readonly plan: Plan;
  private readonly work: Work;
  private readonly addPatches: PatchKernels['addPatches'];
  private readonly patches: Patches;
  private readonly gAt: number;
  private readonly wAt: number;
  /** Windows whose patches are computed at a time. */
  private readonly block: number;

  constructor(plan: Plan, out: Strided, g: Strided, w: Strided) {
    const { dtype, bytes, taps, count, images } = plan;
    this.plan = plan;
    this.gAt = startOf(g, bytes);
    this.wAt = startOf(w, bytes);
    addressOf(out.storage);
    // A product by others can't be put on a list.
    this.work = images > 1 && product.gemm === gemm ? workOf(planNanoseconds(plan)) : alone;
    this.addPatches = this.work.kernels(patchKernels(dtype)).addPatches;
    this.patches = new Patches(plan, out, this.work === alone ? 1 : images, true);
    if (!this.patches.image.isWhole) clear(out);
    this.block = Math.max(64, Math.min(count, Math.floor((WINDOW_BLOCK * 256) / taps)));
  }

  run(): void {
    const { work, block } = this;
    const { image } = this.patches;
    const { images, taps, count, bytes } = this.plan;
    for (let start = 0; start < images; start += image.room) {
      const held = Math.min(image.room, images - start);
      image.start(start);
      image.clear();
      const among = cuts(work.width, held, 1, 1);
      for (let i = 1; i < among.length; i++) {
        work.task();
        const inside = work.inside();
        const matrix = inside.take(matrices, taps * Math.min(count, block) * bytes);
        for (let n = start + among[i - 1]!; n < start + among[i]!; n++) {
          this.addImage(n, matrix, work === alone ? null : inside.inside());
        }
      }
      work.run();
      image.store(start, held);
    }
  }

  private addImage(n: number, matrix: number, within: Work | null): void {
    const { plan, patches, block, addPatches } = this;
    const { dtype, bytes, filters, taps, count, groups } = plan;
    const { offsets, along, height, step, rowStep, planeStep } = patches;
    for (let group = 0; group < groups; group++) {
      const base = patches.at(n, group);
      const a = this.wAt + group * filters * taps * bytes;
      const b = this.gAt + (n * groups + group) * filters * count * bytes;
      for (let first = 0; first < count; first += block) {
        const width = Math.min(block, count - first);
        const right = b + first * bytes;
        const [row, line, distance] = [taps * bytes, width * bytes, count * bytes];
        if (within === null) product.gemm(dtype, taps, width, filters, a, bytes, row, right, distance, bytes, matrix, line, false);
        else gemm(dtype, taps, width, filters, a, bytes, row, right, distance, bytes, matrix, line, false, within);
        addPatches(base, matrix, offsets, taps, first, width, along, height, step, rowStep, planeStep);
      }
    }
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
