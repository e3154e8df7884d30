import { DeviceError, MemoryError } from '../../errors.ts';
import { allocate, heapMemory, views } from '../../heap.ts';
import { nodeProcess } from '../../node-process.ts';
import { failures, type Orders, PATIENCE, words, workerSource } from './worker.ts';

/** As many threads as anybody may ask for. */
export const MOST_THREADS = 64;
const CONTROL_BYTES = 4 * (words.failed + MOST_THREADS);

/** Threads that share a job, the caller's included. */
let size = 1;
/** Told why there can be no others. */
let onFailure: (reason: string) => void = () => undefined;
/** The control block of the threads that wait for work: the index of its first word; 0 where there are none. */
let control = 0;
/** Tasks so far, and those of them that others than the caller did. */
let tasksDone = 0;
let tasksHelped = 0;
let pageUrl: string | undefined;

/**
 * Milliseconds that jobs won lately: what others' tasks would have taken the caller, less what it waited for them. Where
 * more is lost than this, the others get no core of their own. The caller then does all jobs alone for some time, which
 * doubles with every loss and halves with every gain.
 */
let won = 0;
const MOST_WON = 0.5;
const MOST_LOST = 0.3;
const SHORTEST_REST = 2;
const LONGEST_REST = 640;
let rest = SHORTEST_REST;
let restsUntil = 0;

/** What the threads need to know of a job. */
export interface Job {
  /** Index of the first double of the list of where tasks start. */
  readonly list: number;
  readonly tasks: number;
  /** Memory of the threads' own: where thread 0's is, and how many bytes each has. */
  readonly own: number;
  readonly ownBytes: number;
}

/** Does tasks of a job on this thread. */
export interface TaskRunner {
  doTask(task: number): void;
}

/** Ends the threads that there are; the next job starts as many others as are needed for `threads` in all. */
export function setCrew(threads: number, failed: (reason: string) => void): void {
  stop();
  size = threads;
  onFailure = failed;
  tasksDone = tasksHelped = restsUntil = won = 0;
  rest = SHORTEST_REST;
}

/** What the threads did so far. */
export function crewReport(): string {
  return control === 0 ? 'not started yet' : `${tasksHelped} of ${tasksDone} tasks were done beside the main one`;
}

/** Whether the caller works alone for now, as another thread got no core. */
export function isResting(): boolean {
  return restsUntil !== 0 && performance.now() < restsUntil;
}

/** Memory that is never given back: threads that are to end may still look at it. */
export function permanent(bytes: number): number {
  const address = allocate(bytes, 2 ** 32);
  if (address === 0) throw new MemoryError(`the heap has no room for ${bytes} bytes that threads need. Use smaller batches`);
  return address;
}

/**
 * Runs all tasks of a job on all threads, this one included, and returns when they are done. Threads that are not there
 * yet, or are kept from running, take none.
 * @param here does tasks on this thread
 * @throws what a task throws, or DeviceError when a task broke off on another thread
 */
export function runJob({ list, tasks, own, ownBytes }: Job, here: TaskRunner): void {
  tasksDone += tasks;
  const start = performance.now();
  if (!isThere()) {
    for (let task = tasks - 1; task >= 0; task--) here.doTask(task);
    return;
  }
  const { i32 } = views;
  const generation = control + words.generation;
  const left = control + words.left;
  const pending = control + words.pending;
  i32[control + words.list] = list;
  i32[control + words.own] = own;
  i32[control + words.ownBytes] = ownBytes;
  i32[control + words.pages] = views.u8.length / 65536;
  Atomics.store(i32, pending, tasks);
  // From here on tasks are taken; what they need stands above.
  Atomics.store(i32, left, tasks);
  Atomics.add(i32, generation, 1);
  Atomics.notify(i32, generation, tasks - 1);
  let taken = 0;
  try {
    for (let more; (more = Atomics.sub(i32, left, 1)) > 0; taken++) {
      here.doTask(more - 1);
      Atomics.sub(i32, pending, 1);
    }
  } catch (error) {
    // The task that broke off and those that nobody has taken are not waited for.
    const untaken = Math.max(0, Atomics.exchange(i32, left, 0));
    Atomics.sub(i32, pending, untaken + 1);
    waitForOthers(pending);
    throw error;
  }
  const ready = performance.now();
  const end = waitForOthers(pending);
  if (taken > 0) won = Math.min(MOST_WON, won + ((tasks - taken) * (ready - start)) / taken - (end - ready));
  if (won < -MOST_LOST) {
    won = 0;
    restsUntil = end + rest;
    rest = Math.min(2 * rest, LONGEST_REST);
  } else if (won === MOST_WON) rest = Math.max(rest / 2, SHORTEST_REST);
  tasksHelped += tasks - taken;
  for (let thread = 0; thread < size; thread++) {
    if (i32[control + words.failed + thread] !== failures.none) return makeUpFor(failuresOf(size), here);
  }
}

/** Whether threads wait for work, which are started if need be; none where the platform refuses. */
function isThere(): boolean {
  if (control !== 0 || size === 1) return control !== 0;
  const index = permanent(CONTROL_BYTES) / 4;
  views.i32.fill(0, index, index + CONTROL_BYTES / 4);
  control = index;
  try {
    for (let thread = 1; thread < size; thread++) start({ memory: heapMemory(), control, thread });
  } catch (error) {
    giveUp(`workers cannot be started: ${String(error)}`);
  }
  return control !== 0;
}

function start(orders: Orders): void {
  const fail = (message: string | undefined): void => giveUp(`a worker failed: ${message ?? 'its program may not be loaded'}`);
  const process = nodeProcess();
  if (process?.getBuiltinModule !== undefined) {
    const { Worker } = process.getBuiltinModule('node:worker_threads');
    // Flags and variables of the process are not for it: they may load programs.
    const worker = new Worker(workerSource, { eval: true, workerData: orders, execArgv: [], env: {} });
    worker.on('error', ({ message }) => fail(message));
    worker.unref();
    return;
  }
  pageUrl ??= URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
  const worker = new Worker(pageUrl);
  worker.addEventListener('error', ({ message }) => fail(message));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has none
  worker.postMessage(orders);
}

/** Goes on with one thread. */
function giveUp(reason: string): void {
  stop();
  size = 1;
  onFailure(reason);
}

/** Lets the threads end that wait for work. */
function stop(): void {
  if (control === 0) return;
  Atomics.store(views.i32, control + words.stopped, 1);
  Atomics.add(views.i32, control + words.generation, 1);
  Atomics.notify(views.i32, control + words.generation);
  control = 0;
}

/** Waits until no task is pending, busily at first, as a task is short; gives the time then. */
function waitForOthers(pending: number): number {
  const { i32 } = views;
  const until = performance.now() + PATIENCE;
  for (;;) {
    let left = 0;
    for (let k = 0; k < 256; k++) if ((left = Atomics.load(i32, pending)) === 0) return performance.now();
    // After a while somebody else must be using the other cores: leave this one to the thread that is waited for.
    if (performance.now() > until && mayBlock()) Atomics.wait(i32, pending, left, 1);
  }
}

let blocks: boolean | undefined;

/** Whether this thread may sleep until another one wakes it; that of a page may not. */
function mayBlock(): boolean {
  if (blocks === undefined) {
    try {
      Atomics.wait(views.i32, control + words.stopped, 1, 0);
      blocks = true;
    } catch {
      blocks = false;
    }
  }
  return blocks;
}

/** What threads left behind that could not finish a task. */
function failuresOf(threads: number): Int32Array {
  const first = control + words.failed;
  return views.i32.slice(first, first + threads).filter((result) => result !== failures.none);
}

/** Does the tasks that threads could not start, and tells of one that broke off, whose thread has ended. */
function makeUpFor(failed: Int32Array, here: TaskRunner): void {
  if (failed.includes(failures.broken)) {
    stop();
    throw new DeviceError('a kernel broke off on another thread, so that its result is not whole; setNumThreads(1) does without');
  }
  giveUp('a worker could not run a kernel');
  for (const failure of failed) here.doTask(failure - failures.unstarted);
}
