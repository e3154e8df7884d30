/** What a thread that loads knows of itself. */
export interface WorkerInfo {
  /** Which thread this is, from 0. */
  readonly id: number;
  /** How many there are. */
  readonly numWorkers: number;
  /** From where its default random stream starts. */
  readonly seed: number;
}

/** What a thread is asked for. */
export interface Order {
  /** The positions of the samples; null for the next ones of a stream. */
  readonly positions: readonly number[] | null;
  /** How many samples of a stream; null for one, not in a list. */
  readonly batchSize: number | null;
  /** Whether a last batch that is not full counts as none. */
  readonly dropLast: boolean;
  /** Whether the samples are joined to a batch in the thread. */
  readonly join: boolean;
  /** Batches of a stream that come in vain, because they were used before. */
  readonly skip: number;
  /** Streams begin anew with each epoch. */
  readonly epoch: number;
}

/** What came of it. */
export interface Loaded {
  /** The batch, or the samples. */
  readonly value: unknown;
  /** Whether the thread's stream is at its end; then there is no value. */
  readonly ended: boolean;
  /** The state of the thread's random stream after that. */
  readonly random: Uint8Array;
}

/** Threads that load. */
export interface Workers {
  /** @throws DataError where the thread fails, or has failed */
  load(worker: number, order: Order): Promise<Loaded>;
  /** Ends the threads. What is still awaited is rejected. */
  close(): Promise<void>;
}

/** How threads are started. */
export interface WorkersOptions {
  readonly numWorkers: number;
  /** The default random stream of thread i starts from seed + i. */
  readonly seed: number;
  /** States from which random streams go on instead; undefined for threads that have given nothing yet. */
  readonly random: readonly (Uint8Array | undefined)[];
}

/** Starts threads that load a dataset. */
export type StartWorkers = (options: WorkersOptions) => Promise<Workers>;

const starters = new WeakMap<object, StartWorkers>();
let info: WorkerInfo | null = null;

/**
 * Which thread this is, for datasets that divide their samples among threads; null outside of a loader's threads.
 * @example
 * console.log(tg.data.getWorkerInfo()); // → null
 * @source torch.utils.data.get_worker_info
 */
export function getWorkerInfo(): WorkerInfo | null {
  return info;
}

/** Says which thread this is. @internal */
export function setWorkerInfo(own: WorkerInfo): void {
  info = own;
}

/** How threads that load this dataset are started; undefined where they cannot be. @internal */
export function workersOf(dataset: object): StartWorkers | undefined {
  return starters.get(dataset);
}

/** Makes it known how threads load a dataset. @internal */
export function setWorkersOf(dataset: object, start: StartWorkers): void {
  starters.set(dataset, start);
}
