import { dtypeInfo } from '../../dtype.ts';
import { contiguousStrides, numel } from '../../shape.ts';
import { addressOf, freeStorage, Storage } from '../../storage.ts';
import type { ConvolutionWindow, Strided } from '../types.ts';
import { changed } from './changed.ts';
import { type Plan, planNanoseconds, planOf } from './convolution-plan.ts';
import { copy } from './copy.ts';
import { isDenseFloat, throughFloats } from './dense.ts';
import { floatTypes } from './floats.ts';
import { blockOf, gemm, product } from './gemm.ts';
import { LeftRows, takePanels } from './left-rows.ts';
import { type PatchKernels, patchKernels } from './patches.ts';
import { Scratch } from './scratch.ts';
import { spareBytes } from './strip.ts';
import { tileColumns } from './tile.ts';
import { weightGradient } from './weight-gradient.ts';
import { Patches, startOf } from './window-patches.ts';
import { alone, cuts, type Work, workOf } from './work.ts';
import { clear } from './zeros.ts';

const matrices = new Scratch();

/** Windows whose patches are packed at a time. */
const WINDOW_BLOCK = 512;
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
 * The last product of each kind. When a collection of garbage finds no such object, V8 throws the code away that it made for
 * them, and makes it again: for longer than the products take. Hence they are objects too, and not closures. None of them
 * holds an operand any more.
 */
const last: { forward?: Forward; patches?: AddedPatches } = {};

function forward(out: Strided, x: Strided, w: Strided, window: ConvolutionWindow): void {
  const plan = planOf(x, w, out, window);
  if (plan.taps === 0) return clear(out);
  const product = new Forward(plan, out, x, w);
  product.run();
  last.forward = product;
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
    image.release();
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
  copy(target, changed(w, { offset: w.offset + last, shape, strides: mirrored }));
  const flat = [groups * inner, outer / groups, ...kernel];
  return { ...target, shape: flat, strides: contiguousStrides(flat) };
}

function addedPatches(out: Strided, g: Strided, w: Strided, window: ConvolutionWindow): void {
  const plan = planOf(out, w, g, window);
  if (plan.count === 0 || plan.filters === 0 || plan.taps === 0) return clear(out);
  const product = new AddedPatches(plan, out, g, w);
  product.run();
  last.patches = product;
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
    image.release();
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
