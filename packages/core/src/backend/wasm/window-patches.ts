import { views } from '../../heap.ts';
import { addressOf } from '../../storage.ts';
import type { Strided } from '../types.ts';
import type { Plan } from './convolution-plan.ts';
import { PaddedImages } from './image.ts';
import { Scratch } from './scratch.ts';
import { reach, tapOffsets } from './window.ts';

const offsetTable = new Scratch();

/** Where a dense operand starts in the heap. */
export function startOf(x: Strided, bytes: number): number {
  return addressOf(x.storage) + x.offset * bytes;
}

/** Padded images, and where windows and their taps lie in them. */
export class Patches {
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

/** Writes where the taps are, in bytes from a window's start, and gives the table's address. */
export function writeOffsets(plan: Plan, image: PaddedImages): number {
  const [column, row, plane] = image.steps([1, 1, 1]);
  const offsets = tapOffsets(plan.channels, image.channelBytes, plan.window, [plane, row, column]);
  const table = offsetTable.take(offsets.length * 4);
  views.i32.set(offsets, table / 4);
  return table;
}
