import { rand, tensor, type Tensor } from '@tapegrad/core';
import { getWorkerInfo, type Dataset } from '../../src/index.ts';

/** What the set shall do. */
export interface SquaresOptions {
  length: number;
  /** A position that fails. */
  bad?: number;
  /** One that never ends. */
  stuck?: number;
  /** One that ends the thread. */
  exit?: number;
  /** Whether samples come one after the other, divided among threads. */
  stream?: boolean;
}

/** A position and its square, a number of the default stream, a text; the shift is drawn when the set is made. */
export type Sample = [Tensor, number, string];

/** Squares of positions, for threads to load. */
export default async function squares(options: SquaresOptions): Promise<Dataset<Sample> | Iterable<Sample>> {
  if (options.length < 0 && getWorkerInfo() !== null) throw new RangeError('no negative lengths');
  const shift = rand(1).item();
  const get = (index: number): Sample => [tensor([index, index * index]), rand(1).item(), `#${index} ${shift.toFixed(4)}`];
  if (options.stream) {
    return {
      *[Symbol.iterator]() {
        const { id, numWorkers } = getWorkerInfo() ?? { id: 0, numWorkers: 1 };
        for (let i = id; i < options.length; i += numWorkers) yield get(i);
      },
    };
  }
  return {
    length: options.length,
    async get(index: number): Promise<Sample> {
      if (index === options.bad) throw new RangeError(`position ${index} is bad`);
      if (index === options.stuck) await new Promise(() => setInterval(() => undefined, 1000));
      if (index === options.exit) process.exit(3);
      return get(index);
    },
  };
}
