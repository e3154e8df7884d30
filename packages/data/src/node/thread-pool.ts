import { Worker } from 'node:worker_threads';
import { DataError } from '../errors.ts';
import type { Loaded, Order, WorkerInfo, Workers, WorkersOptions } from '../workers.ts';
import type { DatasetRecipe, ModuleDatasetOptions } from './dataset-module.ts';
import { unpack, unpackError, type PackedError } from './packing.ts';

/** The program of the threads; it lies beside this module, among the sources as in the published package. */
const program: URL = new URL(`./worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);

/** What a thread begins with. */
export interface ThreadStart {
  readonly recipe: DatasetRecipe;
  readonly info: WorkerInfo;
  readonly random: Uint8Array | undefined;
}

/** What a thread is asked. */
export interface Question {
  readonly id: number;
  readonly order: Order;
}

/** What a thread answers; -1 is that it is ready, or cannot be. */
export interface Answer {
  readonly id: number;
  readonly loaded?: Loaded;
  readonly error?: PackedError;
}

interface Pending {
  readonly order: Order | null;
  readonly resolve: (loaded: Loaded) => void;
  readonly reject: (error: unknown) => void;
}

/** A thread and what it has not answered yet. */
interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
}

/**
 * Threads that load a dataset. What goes wrong in one is thrown where its batch is awaited, with the thread's own stack as
 * the cause. Threads that have nothing to do let the program end.
 */
export class ThreadPool implements Workers {
  private readonly threads: readonly Thread[];
  private nextId = 0;
  /** Why nothing more is loaded. */
  private failure: Error | null = null;

  private constructor(threads: readonly Thread[]) {
    this.threads = threads;
    threads.forEach((thread, i) => this.listen(thread, i));
  }

  /** Starts the threads. @throws DataError when the dataset fails in one, or it ends before it is ready; then none is left */
  static async open(recipe: DatasetRecipe, options: WorkersOptions, { execArgv }: ModuleDatasetOptions): Promise<ThreadPool> {
    const { numWorkers, seed, random } = options;
    const threads = Array.from({ length: numWorkers }, (_, id): Thread => {
      const workerData: ThreadStart = { recipe, info: { id, numWorkers, seed: (seed + id) >>> 0 }, random: random[id] };
      return { worker: new Worker(program, { workerData, ...(execArgv === undefined ? {} : { execArgv }) }), pending: new Map() };
    });
    const ready = threads.map(({ pending }) => {
      return new Promise((resolve, reject) => pending.set(-1, { order: null, resolve, reject }));
    });
    const pool = new ThreadPool(threads);
    try {
      await Promise.all(ready);
      return pool;
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  load(worker: number, order: Order): Promise<Loaded> {
    if (this.failure !== null) return Promise.reject(this.failure);
    const { worker: thread, pending } = this.threads[worker]!;
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      pending.set(id, { order, resolve, reject });
      thread.ref();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
      thread.postMessage({ id, order } satisfies Question);
    });
  }

  async close(): Promise<void> {
    this.fail(new DataError('The loader was closed while a batch was on its way.'));
    await Promise.all(this.threads.map(({ worker }) => worker.terminate()));
  }

  private listen({ worker, pending }: Thread, i: number): void {
    worker.on('message', ({ id, loaded, error }: Answer) => {
      const waiting = pending.get(id);
      // A pool that is being closed has forgotten what it asked, and must not lose its hold on the program before it is.
      if (waiting === undefined) return;
      pending.delete(id);
      if (pending.size === 0) worker.unref();
      if (error !== undefined) waiting.reject(failed(i, waiting.order, unpackError(error)));
      else waiting.resolve(loaded === undefined ? (undefined as never) : { ...loaded, value: unpack(loaded.value) });
    });
    worker.on('error', (error) => this.fail(new DataError(`Worker ${i} broke down: ${String(error)}`, { cause: error })));
    worker.on('exit', (code) => this.fail(new DataError(`Worker ${i} ended with code ${code} before the loader was done.`)));
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { pending } of this.threads) {
      for (const { reject } of pending.values()) reject(this.failure);
      pending.clear();
    }
  }
}

function failed(worker: number, order: Order | null, error: Error): DataError {
  const where = order === null ? 'making the dataset' : order.positions === null ? 'the stream' : `positions ${order.positions.join(', ')}`;
  return new DataError(`Worker ${worker} failed at ${where}: ${String(error)}`, { cause: error });
}
