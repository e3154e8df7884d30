import { DataError } from './errors.ts';
import type { Loaded, Order, Workers } from './workers.ts';

/** How batches are fetched from threads. */
export interface Fetching {
  readonly numWorkers: number;
  /** The thread that comes first. */
  readonly turn: number;
  /** Batches that each thread has on their way. */
  readonly prefetchFactor: number;
  /** Seconds after which a batch is given up; 0 for never. */
  readonly timeout: number;
  /** What a thread is asked for next; undefined when there is nothing more. */
  order(worker: number): Order | undefined;
}

/** A thread, and its answers that are on their way. */
interface Queue {
  readonly worker: number;
  readonly answers: Promise<Loaded>[];
}

/**
 * What threads load, one after the other in turns; a thread that has nothing more is passed over.
 * @throws DataError for a thread that fails, ends, or takes too long
 */
export async function* workerBatches(workers: Workers, fetching: Fetching): AsyncGenerator<Loaded & { worker: number }, void> {
  const { numWorkers, turn, prefetchFactor, timeout } = fetching;
  const queues = Array.from({ length: numWorkers }, (_, i): Queue => ({ worker: (turn + i) % numWorkers, answers: [] }));
  const ask = ({ worker, answers }: Queue): void => {
    const order = fetching.order(worker);
    if (order === undefined) return;
    const answer = workers.load(worker, order);
    // An answer that nobody waits for any more may fail in silence.
    answer.catch(() => undefined);
    answers.push(answer);
  };
  for (let i = 0; i < prefetchFactor; i++) queues.forEach(ask);
  for (let i = 0; queues.length > 0; ) {
    i %= queues.length;
    const queue = queues[i]!;
    const answer = queue.answers.shift();
    const loaded = answer && (await inTime(answer, timeout, queue.worker));
    if (loaded === undefined || loaded.ended) {
      queues.splice(i, 1);
      continue;
    }
    ask(queue);
    yield { ...loaded, worker: queue.worker };
    i++;
  }
}

async function inTime<T>(promise: Promise<T>, seconds: number, worker: number): Promise<T> {
  if (seconds === 0) return promise;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DataError(`Worker ${worker} has not loaded its batch within ${seconds} s (timeout).`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
