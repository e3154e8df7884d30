import { views } from '../../heap.ts';
import { Scratch } from './scratch.ts';
import { kernelAt, type Kernel, placeOf } from './shared-modules.ts';
import { isResting, runJob } from './crew.ts';
import { threadCount } from './threads.ts';
import { OWN } from './worker.ts';

/**
 * Where an operation's calls of kernels go: to the kernels at once, or on a list that all threads work off. An operation
 * is written once for both. Results are the same: it divides its work by sizes alone, never by the number of threads,
 * wherever that could change a sum.
 */
export interface Work {
  /** For how many tasks there is use. */
  readonly width: number;
  /** Functions like those of the table, which call them now or later. Their arguments are integers. */
  kernels<Table extends object>(table: Table): Table;
  /** Scratch memory that all tasks see. */
  take(scratch: Scratch, bytes: number): number;
  /** Starts a task: the calls from here to the next one, in their order. Tasks may run in any order, and side by side. */
  task(): void;
  /** Finishes all tasks. What comes after sees what they did. */
  run(): void;
  /**
   * The work as a task sees it: done by one thread, in this order, with memory that no other task sees and that is free
   * again for whoever asks next.
   */
  inside(): Work;
}

/** Work on this thread alone. */
export const alone: Work = {
  width: 1,
  kernels: (table) => table,
  take: (scratch, bytes) => scratch.take(bytes),
  task: () => undefined,
  run: () => undefined,
  inside: () => alone,
};

/**
 * A job for several threads is worth it if it takes one of them so long: to begin costs some 10 µs, and what others wrote is in
 * the caches of their cores.
 */
const WORTHWHILE_NANOSECONDS = 80_000;
/** Tasks per thread, so that a thread that is kept from running leaves little to wait for, and how long one takes at least. */
const TASKS_PER_THREAD = 6;
const TASK_NANOSECONDS = 5_000;

/** Whether several threads gain from work that takes one of them so long. */
export function isWorthSharing(nanoseconds: number): boolean {
  return nanoseconds >= WORTHWHILE_NANOSECONDS && threadCount() > 1 && !isResting();
}

/** How work that takes one thread so long is done best. */
export function workOf(nanoseconds: number): Work {
  return isWorthSharing(nanoseconds) ? sharedWork(nanoseconds) : alone;
}

/** Work that all threads share, of an operation that takes one thread so long. There is only one at a time. */
export function sharedWork(nanoseconds: number): SharedWork {
  shared.start(nanoseconds);
  return shared;
}

const none: readonly number[] = [];
const lists = new Scratch();
const owned = new Scratch();

/** Work that all threads share. It is written down as they read it: see `workerSource`. */
export class SharedWork implements Work {
  width = 1;
  /** Where the tasks start among the calls. */
  private readonly starts: number[] = [];
  /** Per task the number of its calls, and the calls. */
  private readonly calls: number[] = [];
  private readonly listed = new WeakMap<object, object>();
  private readonly args: number[] = [];
  /** The most that any task takes of its thread's own memory. */
  private ownBytes = 0;

  /** @param nanoseconds what it all takes one thread */
  start(nanoseconds: number): void {
    const isPending = this.starts.length > 0;
    this.starts.length = this.calls.length = 0;
    if (isPending) throw new Error('other work for several threads was started and not finished');
    const threads = threadCount();
    this.width = Math.max(threads, Math.min(threads * TASKS_PER_THREAD, Math.floor(nanoseconds / TASK_NANOSECONDS)));
    this.ownBytes = 0;
  }

  kernels<Table extends object>(table: Table): Table {
    let listed = this.listed.get(table) as Record<string, unknown> | undefined;
    if (listed === undefined) {
      this.listed.set(table, (listed = {}));
      for (const [name, kernel] of Object.entries(table)) {
        listed[name] = (...integers: number[]) => this.call(kernel as Kernel, integers);
      }
    }
    return listed as Table;
  }

  take(scratch: Scratch, bytes: number): number {
    return scratch.take(bytes);
  }

  inside(): Work {
    return this.insideFrom(0);
  }

  private insideFrom(start: number): Work {
    let taken = start;
    return {
      width: 1,
      kernels: (table) => this.kernels(table),
      take: (_scratch, bytes) => {
        const address = OWN + taken;
        taken += Math.ceil(bytes / 64) * 64;
        this.ownBytes = Math.max(this.ownBytes, taken);
        return address;
      },
      task: () => undefined,
      run: () => undefined,
      inside: () => this.insideFrom(taken),
    };
  }

  task(): void {
    this.starts.push(this.calls.length);
    this.calls.push(0);
  }

  /** Puts a call on the list: integers, then arguments of other types. */
  call(kernel: Kernel, integers: readonly number[], others: readonly number[] = none): void {
    const { calls, starts } = this;
    calls[starts[starts.length - 1]!]!++;
    calls.push(placeOf(kernel), integers.length, others.length);
    for (let k = 0; k < integers.length; k++) calls.push(integers[k]!);
    for (let k = 0; k < others.length; k++) calls.push(others[k]!);
  }

  run(): void {
    const { starts, calls, ownBytes } = this;
    const tasks = starts.length;
    if (tasks === 0) return;
    try {
      const own = ownBytes === 0 ? 0 : owned.take(ownBytes * threadCount());
      const take = (task: number): void => this.doTask(task, own);
      if (tasks === 1) take(0);
      else runJob({ list: this.write(), tasks, own, ownBytes }, take);
    } finally {
      starts.length = calls.length = 0;
    }
  }

  private doTask(task: number, own: number): void {
    const { calls, args } = this;
    let k = this.starts[task]!;
    for (let count = calls[k++]!; count > 0; count--) {
      const kernel = kernelAt(calls[k]!);
      const integers = calls[k + 1]!;
      args.length = integers + calls[k + 2]!;
      k += 3;
      for (let n = 0; n < args.length; n++) {
        const arg = calls[k++]!;
        args[n] = n < integers && arg >= OWN ? arg + own - OWN : arg;
      }
      kernel(...args);
    }
  }

  /** Writes the list where the threads read it, and gives the index of its first double. */
  private write(): number {
    const { starts, calls } = this;
    const tasks = starts.length;
    const index = lists.take((tasks + calls.length) * 8) / 8;
    const { f64 } = views;
    for (let task = 0; task < tasks; task++) f64[index + task] = tasks + starts[task]!;
    f64.set(calls, index + tasks);
    return index;
  }
}

const shared = new SharedWork();

/**
 * Divides 0 … count into at most `width` pieces of whole units, at least one.
 * @param least elements of a piece that is worth a task
 * @returns where the pieces start, and the count
 */
export function cuts(width: number, count: number, unit: number, least: number): number[] {
  const pieces = Math.max(1, Math.min(width, Math.floor(count / least)));
  const size = Math.ceil(count / pieces / unit) * unit;
  const at = [0];
  let end = 0;
  do at.push(Math.min((end += size), count));
  while (end < count);
  return at;
}

/** Calls the body for each piece that `cuts` makes. */
export function eachPiece(
  width: number,
  count: number,
  unit: number,
  least: number,
  body: (first: number, size: number) => void,
): void {
  const at = cuts(width, count, unit, least);
  for (let i = 1; i < at.length; i++) body(at[i - 1]!, at[i]! - at[i - 1]!);
}
