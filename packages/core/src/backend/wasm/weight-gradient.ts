import { numel } from '../../shape.ts';
import { addressOf } from '../../storage.ts';
import type { ConvolutionWindow, Strided } from '../types.ts';
import { changed } from './changed.ts';
import { type Plan, planNanoseconds, planOf } from './convolution-plan.ts';
import { floatTypes } from './floats.ts';
import { blockOf } from './gemm.ts';
import { roomFor } from './image.ts';
import { LeftRows, takePanels } from './left-rows.ts';
import { type PatchKernels, patchKernels } from './patches.ts';
import { reduce } from './reduce.ts';
import { Scratch } from './scratch.ts';
import { spareBytes } from './strip.ts';
import { tileColumns } from './tile.ts';
import { Patches, startOf } from './window-patches.ts';
import { alone, cuts, type Work, workOf } from './work.ts';
import { clear } from './zeros.ts';

/** So long a call takes at least where there would otherwise be very many. */
const CALL_NANOSECONDS = 3_000;

/** The last one: see `last` in convolution.ts. */
const last: { product?: WeightGradient } = {};

/** The transpose in w of a convolution, by products of packed panels. */
export function weightGradient(out: Strided, g: Strided, x: Strided, window: ConvolutionWindow): void {
  const plan = planOf(x, out, g, window);
  if (plan.images === 0 || plan.count === 0) return clear(out);
  const product = new WeightGradient(plan, out, g, x);
  product.run(out);
  last.product = product;
}

/** A transpose in w under way. */
class WeightGradient {
  private readonly plan: Plan;
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

  run(out: Strided): void {
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
    image.release();
    if (parts > 1) addParts(out, parts);
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
  reduce('sum', changed(out, { shape: [1, size], strides: [size, 1] }), sums, [0]);
}
