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

/** Doubles that a list has room for at first. */
const FIRST_ROOM = 2 ** 12;

/** Work that all threads share. It is written down where they read it: see `workerSource`. */
export class SharedWork implements Work {
  width = 1;
  /** Where the tasks start among the doubles of the heap. */
  private readonly starts: number[] = [];
  /** Where the list starts, for how many doubles there is room, and where it goes on. */
  private first = 0;
  private room = FIRST_ROOM;
  private next = 0;
  private readonly listed = new WeakMap<object, object>();
  private readonly args: number[] = [];
  /** The most that any task takes of its thread's own memory, and where that of thread 0 is. */
  private ownBytes = 0;
  private own = 0;
  /** Kept so that a collection of garbage always finds one: see decision 13. */
  private lastInside: Inside | null = null;

  /** @param nanoseconds what it all takes one thread */
  start(nanoseconds: number): void {
    const isPending = this.starts.length > 0;
    this.starts.length = 0;
    if (isPending) throw new Error('other work for several threads was started and not finished');
    const threads = threadCount();
    this.width = Math.max(threads, Math.min(threads * TASKS_PER_THREAD, Math.floor(nanoseconds / TASK_NANOSECONDS)));
    this.ownBytes = 0;
    this.first = this.next = lists.take(this.room * 8) / 8;
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
    return (this.lastInside = new Inside(this, 0));
  }

  /** Makes sure that each thread has so much memory of its own. */
  reserveOwn(bytes: number): void {
    if (bytes > this.ownBytes) this.ownBytes = bytes;
  }

  task(): void {
    this.reserve(1);
    this.starts.push(this.next);
    views.f64[this.next++] = 0;
  }

  /** Puts a call on the list: integers, then arguments of other types. */
  call(kernel: Kernel, integers: readonly number[], others: readonly number[] = none): void {
    const place = placeOf(kernel);
    this.reserve(3 + integers.length + others.length);
    const { f64 } = views;
    let { next } = this;
    f64[this.starts[this.starts.length - 1]!]! += 1;
    f64[next++] = place;
    f64[next++] = integers.length;
    f64[next++] = others.length;
    for (let k = 0; k < integers.length; k++) f64[next++] = integers[k]!;
    for (let k = 0; k < others.length; k++) f64[next++] = others[k]!;
    this.next = next;
  }

  run(): void {
    const { starts, ownBytes } = this;
    const tasks = starts.length;
    if (tasks === 0) return;
    try {
      this.own = ownBytes === 0 ? 0 : owned.take(ownBytes * threadCount());
      if (tasks === 1) this.doTask(0);
      else runJob({ list: this.close(), tasks, own: this.own, ownBytes }, this);
    } finally {
      starts.length = 0;
      this.next = this.first;
    }
  }

  /** Does a task on this thread. */
  doTask(task: number): void {
    const { args, own } = this;
    const { f64 } = views;
    let k = this.starts[task]!;
    for (let count = f64[k++]!; count > 0; count--) {
      const kernel = kernelAt(f64[k]!);
      const integers = f64[k + 1]!;
      args.length = integers + f64[k + 2]!;
      k += 3;
      for (let n = 0; n < args.length; n++) {
        const arg = f64[k++]!;
        args[n] = n < integers && arg >= OWN ? arg + own - OWN : arg;
      }
      kernel(...args);
    }
  }

  /** Writes where the tasks start behind them, and gives the index of the first of these doubles. */
  private close(): number {
    const { starts } = this;
    this.reserve(starts.length);
    for (let task = 0; task < starts.length; task++) views.f64[this.next + task] = starts[task]!;
    return this.next;
  }

  /** Makes room for so many more doubles. */
  private reserve(doubles: number): void {
    const { first, next } = this;
    if (next - first + doubles <= this.room) return;
    const written = views.f64.slice(first, next);
    this.room = 2 * (written.length + doubles);
    this.first = lists.take(this.room * 8) / 8;
    views.f64.set(written, this.first);
    this.next += this.first - first;
    for (let task = 0; task < this.starts.length; task++) this.starts[task]! += this.first - first;
  }
}

/** Shared work as a task sees it. */
class Inside implements Work {
  readonly width = 1;
  private readonly shared: SharedWork;
  private taken: number;

  constructor(shared: SharedWork, taken: number) {
    this.shared = shared;
    this.taken = taken;
  }

  kernels<Table extends object>(table: Table): Table {
    return this.shared.kernels(table);
  }

  take(_scratch: Scratch, bytes: number): number {
    const address = OWN + this.taken;
    this.taken += Math.ceil(bytes / 64) * 64;
    this.shared.reserveOwn(this.taken);
    return address;
  }

  task(): void {}

  run(): void {}

  inside(): Work {
    return new Inside(this.shared, this.taken);
  }
}

const shared = new SharedWork();

/**
 * Divides 0 … count into at most `width` pieces of whole units, at least one.
 * @param least elements of a piece that is worth a task
 * @returns where the pieces start, and the count
 */
export function cuts(width: number, count: number, unit: number, least: number): number[] {
  const units = Math.ceil(count / unit);
  const pieces = Math.max(1, Math.min(width, units, Math.floor(count / least)));
  const at: number[] = [];
  for (let i = 0; i <= pieces; i++) at.push(Math.min(Math.round((i * units) / pieces) * unit, count));
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
