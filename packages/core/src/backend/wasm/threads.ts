import { DeviceError, MemoryError, ValueError } from '../../errors.ts';
import { allocate, heapIsShared, heapMemory, views } from '../../heap.ts';
import { failures, type Orders, PATIENCE, words, workerSource } from './worker.ts';

/** As many threads as anybody may ask for. */
const MOST_THREADS = 64;
const CONTROL_BYTES = 4 * (words.failed + MOST_THREADS);

/** The parts of Node that workers need, which are had without an import that browsers would stumble over. */
interface NodeProcess {
  readonly env?: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?(name: 'node:worker_threads'): { Worker: new (source: string, options: object) => NodeWorker };
}
interface NodeWorker {
  unref(): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

function nodeProcess(): NodeProcess | undefined {
  return (globalThis as { process?: NodeProcess }).process;
}

/** What was asked for; null before anybody asked. */
let wanted: number | null = null;
/** Threads that kernels may use. */
let available = 1;
/** Why there is only one thread although more were asked for. */
let obstacle: string | null = null;
/** The control block of the threads that wait for work: the index of its first word; 0 where there are none. */
let control = 0;
let pageUrl: string | undefined;

/**
 * Sets how many threads a kernel may use that is large enough to gain from it. Results do not depend on it, to the bit.
 * The others are started with the first such kernel, sleep when there is nothing to do, and end with the program. In
 * Node the environment variable `TAPEGRAD_NUM_THREADS` sets it from outside. A page needs to be cross-origin isolated
 * and to allow workers from `blob:` URLs; where that is not so, kernels stay on one thread, as `getNumThreads` tells.
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
 * Says in a sentence how kernels are spread over threads, and why they are not where that was asked for.
 * @source torch.__config__.parallel_info
 */
export function parallelInfo(): string {
  const count = threadCount();
  if (obstacle !== null) return `1 thread, although ${wanted} were asked for: ${obstacle}`;
  return count === 1 ? '1 thread; setNumThreads(n) allows more' : `${count} threads${control === 0 ? ', not yet started' : ''}`;
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
  if (threads === wanted) return;
  wanted = threads;
  obstacle = threads === 1 ? null : findObstacle();
  available = obstacle === null ? threads : 1;
  stopThreads();
}

function findObstacle(): string | null {
  const { crossOriginIsolated, Worker } = globalThis as { crossOriginIsolated?: boolean; Worker?: unknown };
  if (typeof nodeProcess()?.getBuiltinModule === 'function') return null;
  if (!heapIsShared() || crossOriginIsolated === false) {
    return (
      'memory cannot be shared because the page is not cross-origin isolated; serve it with the headers ' +
      'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'
    );
  }
  return Worker === undefined ? 'there are no workers here' : null;
}

/** Goes on with one thread: others cannot be had. */
function giveUp(reason: string): void {
  obstacle = reason;
  available = 1;
  stopThreads();
}

/** Lets the threads end that wait for work. */
function stopThreads(): void {
  if (control === 0) return;
  Atomics.store(views.i32, control + words.stopped, 1);
  Atomics.add(views.i32, control + words.generation, 1);
  Atomics.notify(views.i32, control + words.generation);
  control = 0;
}

/** Memory that is never given back; threads that were stopped may still look at it. */
export function permanent(bytes: number): number {
  const address = allocate(bytes, 2 ** 32);
  if (address === 0) throw new MemoryError(`the heap has no room for ${bytes} bytes that threads need. Use smaller batches`);
  return address;
}

/** Whether threads wait for work, which are started if need be; none where the platform refuses. */
function hasThreads(): boolean {
  if (control !== 0) return true;
  const index = permanent(CONTROL_BYTES) / 4;
  views.i32.fill(0, index, index + CONTROL_BYTES / 4);
  control = index;
  try {
    for (let thread = 1; thread < available; thread++) startWorker({ memory: heapMemory(), control, thread });
  } catch (error) {
    giveUp(`workers cannot be started: ${String(error)}`);
  }
  return control !== 0;
}

function startWorker(orders: Orders): void {
  const fail = (reason: string): void => giveUp(`a worker failed: ${reason}`);
  const { getBuiltinModule } = nodeProcess() ?? {};
  if (getBuiltinModule !== undefined) {
    const { Worker } = getBuiltinModule('node:worker_threads');
    // Flags and variables of the process are not for it: they may load programs.
    const worker = new Worker(workerSource, { eval: true, workerData: orders, execArgv: [], env: {} });
    worker.on('error', ({ message }) => fail(message));
    worker.unref();
    return;
  }
  pageUrl ??= URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
  const worker = new Worker(pageUrl);
  worker.addEventListener('error', ({ message }) => fail(message ?? 'its program was not allowed to load'));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has none
  worker.postMessage(orders);
}

let mayBlock: boolean | undefined;

/** Whether this thread may sleep until another one wakes it; that of a page may not. */
function canBlock(): boolean {
  if (mayBlock === undefined) {
    try {
      Atomics.wait(views.i32, control + words.generation, -1, 0);
      mayBlock = true;
    } catch {
      mayBlock = false;
    }
  }
  return mayBlock;
}

/** What the threads need to know of a job. */
export interface Job {
  /** Index of the program's first double. */
  readonly program: number;
  readonly tasks: number;
  /** Memory of the threads' own: where thread 0's is, and how many bytes each has. */
  readonly own: number;
  readonly ownBytes: number;
}

/**
 * Runs all tasks of a job on all threads, this one included, and returns when they are done. Threads that are not there
 * yet, or are kept from running, take none.
 * @param take does a task on this thread
 * @throws what `take` throws, or DeviceError when a task broke on another thread
 */
export function runJob({ program, tasks, own, ownBytes }: Job, take: (task: number) => void): void {
  if (!hasThreads()) {
    for (let task = tasks - 1; task >= 0; task--) take(task);
    return;
  }
  const { i32 } = views;
  const at = (word: number): number => control + word;
  i32[at(words.program)] = program;
  i32[at(words.own)] = own;
  i32[at(words.ownBytes)] = ownBytes;
  i32[at(words.pages)] = views.u8.length / 65536;
  Atomics.store(i32, at(words.pending), tasks);
  // From here on tasks are taken; what they need stands above.
  Atomics.store(i32, at(words.left), tasks);
  Atomics.add(i32, at(words.generation), 1);
  Atomics.notify(i32, at(words.generation), tasks - 1);
  try {
    for (let left; (left = Atomics.sub(i32, at(words.left), 1)) > 0; ) {
      take(left - 1);
      Atomics.sub(i32, at(words.pending), 1);
    }
  } catch (error) {
    // The task that broke and those that nobody has taken are not waited for.
    const untaken = Math.max(0, Atomics.exchange(i32, at(words.left), 0));
    Atomics.sub(i32, at(words.pending), untaken + 1);
    waitForOthers(at(words.pending));
    throw error;
  }
  waitForOthers(at(words.pending));
  const failed = i32.subarray(at(words.failed), at(words.failed) + available).filter((failure) => failure !== failures.none);
  if (failed.length > 0) makeUpFor(failed, take);
}

/** Waits until no task is pending: busily at first, as a task is short. */
function waitForOthers(pending: number): void {
  const { i32 } = views;
  if (Atomics.load(i32, pending) === 0) return;
  const until = performance.now() + PATIENCE;
  do {
    for (let k = 0; k < 256; k++) if (Atomics.load(i32, pending) === 0) return;
  } while (performance.now() < until || !canBlock());
  // Somebody else uses the other cores: leave this one to the thread that is waited for.
  for (let left; (left = Atomics.load(i32, pending)) !== 0; ) Atomics.wait(i32, pending, left, 1);
}

/** Does the tasks that threads could not start, and tells of one that broke. */
function makeUpFor(failed: Int32Array, take: (task: number) => void): void {
  giveUp('a worker could not run a kernel');
  if (failed.includes(failures.broken)) {
    throw new DeviceError('a kernel broke off on another thread, so that its result is not whole; setNumThreads(1) does without');
  }
  for (const failure of failed) take(failure - failures.unstarted);
}
