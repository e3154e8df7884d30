import { defaultGenerator, ValueError, type Generator } from '@tapegrad/core';
import { drawSeed } from './sampler.ts';

/** Where a loader stands; plain data and states of random streams. */
export interface LoaderState {
  /** Batches that each thread has given in this epoch; without threads a single number. */
  readonly given: readonly number[];
  /** Whose turn it is. */
  readonly turn: number;
  /** From where the random streams of threads started; null before the first epoch. */
  readonly seed: number | null;
  /**
   * States of random streams: `present` is that of the loader, `start` the one from which the order of this epoch was drawn,
   * absent between epochs, and `worker0` and so on those of threads.
   */
  readonly random: Readonly<Record<string, Uint8Array>>;
}

/** Keeps account of what a loader has given, so that it can go on from there. */
export class Place {
  /** Batches that each thread has given. */
  readonly given: number[];
  turn = 0;
  seed: number | null = null;
  /** States of the threads' random streams after the last batch that they gave. */
  random: (Uint8Array | undefined)[] = [];
  private start: Uint8Array | null = null;
  private isLoaded = false;
  private readonly generator: Generator;

  constructor(generator: Generator, numWorkers: number) {
    this.generator = generator;
    this.given = Array.from({ length: Math.max(1, numWorkers) }, () => 0);
  }

  /**
   * Begins an epoch, or goes on with the one that was loaded.
   * @param keepsSeed whether threads live on, so that they need no seed. PyTorch draws one in any other case, with or
   * without threads
   */
  begin(keepsSeed: boolean): void {
    if (this.isLoaded && this.start !== null) return;
    if (!keepsSeed || this.seed === null) {
      this.seed = drawSeed(this.generator);
      this.random = [];
    }
    this.start = this.generator.getState();
    this.given.fill(0);
    this.turn = 0;
  }

  /** What is left of an order. What was given before is drawn once more, from the random numbers that it was drawn from. */
  *rest<T>(order: Iterable<T>): globalThis.Generator<T, void> {
    const iterator = order[Symbol.iterator]();
    const restore = this.goBack();
    for (let i = this.count; i > 0; i--) iterator.next();
    let next = iterator.next();
    restore();
    try {
      for (; !next.done; next = iterator.next()) yield next.value;
    } finally {
      iterator.return?.();
    }
  }

  /** As `rest`. */
  async *restAsync<T>(order: AsyncIterable<T>): AsyncGenerator<T, void> {
    const iterator = order[Symbol.asyncIterator]();
    const restore = this.goBack();
    for (let i = this.count; i > 0; i--) await iterator.next();
    restore();
    try {
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }

  /** Notes a batch that is given. */
  give(worker = 0, random?: Uint8Array): void {
    this.given[worker]!++;
    this.turn = (worker + 1) % this.given.length;
    if (random !== undefined) this.random[worker] = random;
  }

  /** Ends an epoch. */
  end(): void {
    this.start = null;
    this.isLoaded = false;
    this.given.fill(0);
    this.turn = 0;
  }

  stateDict(): LoaderState {
    const workers = this.random.flatMap((state, i) => (state === undefined ? [] : [[`worker${i}`, state] as const]));
    const start = this.start === null ? {} : { start: this.start };
    const random = { present: this.generator.getState(), ...start, ...Object.fromEntries(workers) };
    return { given: [...this.given], turn: this.turn, seed: this.seed, random };
  }

  /** @throws ValueError, before anything has changed, when the state is of another number of threads */
  loadStateDict({ given, turn, seed, random }: LoaderState): void {
    if (given.length !== this.given.length) {
      throw new ValueError(`DataLoader: the state is of a loader with numWorkers ${given.length}, this one has ${this.given.length}`);
    }
    const { present, start = null } = random;
    if (present === undefined) throw new ValueError("DataLoader: the state lacks that of the loader's random stream");
    this.generator.setState(present);
    this.start = start;
    this.isLoaded = true;
    given.forEach((count, i) => (this.given[i] = count));
    this.turn = turn;
    this.seed = seed;
    this.random = given.map((_, i) => random[`worker${i}`]);
  }

  private get count(): number {
    return this.given.reduce((sum, count) => sum + count, 0);
  }

  /**
   * Puts the random stream back to the start of the epoch, if that is over; the result puts it to where it was. A stream that
   * is the loader's alone stays where the order has left it.
   */
  private goBack(): () => void {
    if (!this.isLoaded || this.start === null) return () => undefined;
    this.isLoaded = false;
    const now = this.generator.getState();
    this.generator.setState(this.start);
    return () => {
      if (this.generator === defaultGenerator) this.generator.setState(now);
    };
  }
}
