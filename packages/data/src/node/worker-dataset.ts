import { Worker } from 'node:worker_threads';
import { ValueError } from '@tapegrad/core';
import type { Dataset } from '../dataset.ts';
import { DataError } from '../errors.ts';
import { unpack } from './packing.ts';

/** Options of WorkerDataset. */
export interface WorkerOptions {
  /** How many threads load; default 2. */
  workers?: number;
  /** Given to the function that makes the dataset; anything that can be cloned. */
  argument?: unknown;
  /** The default random stream of thread i starts from seed + i; default 0. */
  seed?: number;
  /** Flags of Node for the threads, such as those of a loader for TypeScript; default those of this process. */
  execArgv?: string[];
}

/** What a thread begins with. */
export interface WorkerStart {
  readonly module: string;
  readonly argument: unknown;
  readonly seed: number;
}

/** What a thread is asked for: a batch, or the sample at a single position. */
export interface Order {
  readonly id: number;
  readonly indices: readonly number[];
  readonly single: boolean;
}

/** What a thread answers. */
export type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: unknown });

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A thread and what it has not answered yet. */
interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
}

/**
 * A dataset that threads load and collate, while this one trains: give it to a `DataLoader` with `prefetch` at least as
 * large as the number of threads, and iterate with `for await`. What goes wrong in a thread is thrown where the batch is
 * awaited. Threads that have nothing to do let the program end; `close` ends them at once.
 * @source torch.utils.data.DataLoader(num_workers)
 */
export class WorkerDataset<Sample> implements Dataset<Sample> {
  readonly length: number;
  private readonly threads: readonly Thread[];
  private nextId = 0;
  private closed = false;

  private constructor(threads: readonly Thread[], length: number) {
    this.threads = threads;
    this.length = length;
  }

  /**
   * Starts the threads.
   * @param module the URL of a module whose default export makes the dataset, such as `new URL('./set.js', import.meta.url)`
   * @throws ValueError for a number of threads that is not a positive whole one
   * @throws what the module throws, or DataError when a thread ends before it is ready; then no thread is left
   */
  static async open<Sample>(module: string | URL, options: WorkerOptions = {}): Promise<WorkerDataset<Sample>> {
    const { workers = 2, argument, seed = 0, execArgv } = options;
    if (!(Number.isInteger(workers) && workers > 0)) {
      throw new ValueError(`WorkerDataset: workers must be a positive whole number, got ${workers}`);
    }
    const own = import.meta.url;
    const program = new URL(`./worker${own.slice(own.lastIndexOf('.'))}`, own);
    const threads: Thread[] = Array.from({ length: workers }, (_, i) => {
      const workerData: WorkerStart = { module: String(module), argument, seed: seed + i };
      return { worker: new Worker(program, { workerData, ...(execArgv === undefined ? {} : { execArgv }) }), pending: new Map() };
    });
    try {
      const lengths = await Promise.all(threads.map(({ worker }) => ready(worker)));
      const dataset = new WorkerDataset<Sample>(threads, lengths[0]!);
      for (const thread of threads) dataset.listen(thread);
      return dataset;
    } catch (error) {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
      throw error;
    }
  }

  /** The sample at a position. */
  async get(index: number): Promise<Sample> {
    return this.ask([index], true);
  }

  /** The samples at these positions, collated in the thread. */
  async getBatch(indices: readonly number[]): Promise<Sample> {
    return this.ask(indices, false);
  }

  /** Ends the threads. What is still awaited is rejected. */
  async close(): Promise<void> {
    this.closed = true;
    for (const thread of this.threads) drop(thread, new DataError('The dataset was closed while a batch was on its way.'));
    await Promise.all(this.threads.map(({ worker }) => worker.terminate()));
  }

  private ask(indices: readonly number[], single: boolean): Promise<Sample> {
    if (this.closed) return Promise.reject(new DataError('The dataset is closed; open it again to load from it.'));
    const thread = this.threads.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
    const order: Order = { id: this.nextId++, indices, single };
    return new Promise((resolve, reject) => {
      thread.pending.set(order.id, { resolve: resolve as (value: unknown) => void, reject });
      thread.worker.ref();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
      thread.worker.postMessage(order);
    });
  }

  private listen(thread: Thread): void {
    const { worker, pending } = thread;
    worker.unref();
    worker.on('message', (answer: Answer) => {
      const waiting = pending.get(answer.id);
      pending.delete(answer.id);
      if (pending.size === 0) worker.unref();
      if ('error' in answer) waiting?.reject(answer.error);
      else waiting?.resolve(unpack(answer.value));
    });
    const fail = (error: unknown): void => {
      this.closed = true;
      for (const each of this.threads) drop(each, error);
    };
    worker.on('error', fail);
    worker.on('exit', (code) => {
      if (!this.closed) fail(new DataError(`A loading thread ended with code ${code}.`));
    });
  }
}

/** The length that a thread reports when its dataset is made. */
function ready(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    const ended = (code: number): void => reject(new DataError(`A loading thread ended with code ${code} before it was ready.`));
    worker.once('error', reject);
    worker.once('exit', ended);
    worker.once('message', ({ length }: { length: number }) => {
      worker.off('error', reject);
      worker.off('exit', ended);
      resolve(length);
    });
  });
}

function drop({ pending }: Thread, error: unknown): void {
  for (const { reject } of pending.values()) reject(error);
  pending.clear();
}
