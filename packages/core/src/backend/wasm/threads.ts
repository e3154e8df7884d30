import { ValueError } from '../../errors.ts';
import { heapIsShared } from '../../heap.ts';
import { nodeProcess } from '../../node-process.ts';
import { crewReport, MOST_THREADS, setCrew } from './crew.ts';

/** What was asked for; null before anybody asked. */
let wanted: number | null = null;
/** Threads that kernels may use. */
let available = 1;
/** Why there is only one thread although more were asked for. */
let obstacle: string | null = null;

/**
 * Sets how many threads a kernel may use that is large enough to gain from it. Results do not depend on it, to the bit.
 * The others are started by the first such kernel, sleep while there is nothing to do, and end with the program. In Node
 * the environment variable `TAPEGRAD_NUM_THREADS` sets it from outside. A page has to be cross-origin isolated and to
 * allow workers from `blob:` URLs; where it does not, kernels stay on one thread, as `parallelInfo()` tells.
 * @param threads 1 to 64, default 1; more than the machine has cores is slower
 * @throws ValueError when it is not such a number
 * @example
 * tg.setNumThreads(2);
 * console.log(tg.getNumThreads()); // → 2
 * @source torch.set_num_threads
 */
export function setNumThreads(threads: number): void {
  request(threads, `setNumThreads: ${threads}`);
}

/**
 * How many threads a kernel uses at most: what was set, or 1 where there can be no others.
 * @source torch.get_num_threads
 */
export function getNumThreads(): number {
  return threadCount();
}

/**
 * Says in a sentence how many threads there are and what they did so far, and why there are none where they were asked for.
 * @source torch.__config__.parallel_info
 */
export function parallelInfo(): string {
  const count = threadCount();
  if (obstacle !== null) return `1 thread, although ${wanted} were asked for: ${obstacle}`;
  return count === 1 ? '1 thread; setNumThreads(n) allows more' : `${count} threads; ${crewReport()}`;
}

/** Threads that kernels may use. */
export function threadCount(): number {
  if (wanted === null) {
    const set = nodeProcess()?.env?.['TAPEGRAD_NUM_THREADS'];
    request(set === undefined || set === '' ? 1 : Number(set), `the environment variable TAPEGRAD_NUM_THREADS is '${set}'`);
  }
  return available;
}

function request(threads: number, said: string): void {
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw new ValueError(
      `${said}, which is not a number of threads; give a whole number from 1 to ${MOST_THREADS}, at most that of the ` +
        "machine's cores",
      { argument: 'threads' },
    );
  }
  if (threads === wanted && obstacle === null) return;
  wanted = threads;
  obstacle = threads === 1 ? null : findObstacle();
  available = obstacle === null ? threads : 1;
  setCrew(available, giveUp);
}

function giveUp(reason: string): void {
  obstacle = reason;
  available = 1;
}

function findObstacle(): string | null {
  if (nodeProcess()?.getBuiltinModule !== undefined) return null;
  const { crossOriginIsolated, Worker } = globalThis as { crossOriginIsolated?: boolean; Worker?: unknown };
  if (!heapIsShared() || crossOriginIsolated === false) {
    return (
      'the page is not cross-origin isolated, so that its memory cannot be shared; serve it with the headers ' +
      'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'
    );
  }
  return Worker === undefined ? 'there are no workers here' : null;
}
