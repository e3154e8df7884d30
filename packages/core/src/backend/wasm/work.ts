import { views } from '../../heap.ts';
import { Scratch } from './scratch.ts';
import { type Kernel, placeOf } from './shared-modules.ts';
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

/** A job for several threads is worth it if it takes one of them so long. */
const WORTHWHILE_NANOSECONDS = 30_000;
/** Tasks per thread, so that a thread that is kept from running leaves little to wait for, and how long one takes at least. */
const TASKS_PER_THREAD = 6;
const TASK_NANOSECONDS = 5_000;

/** Whether several threads gain from work that takes one of them so long. */
export function isWorthSharing(nanoseconds: number): boolean {
  return nanoseconds >= WORTHWHILE_NANOSECONDS && threadCount() > 1 && !isResting();
}

/** How work that takes one thread so long is done best. */
export function workOf(nanoseconds: number): Work {
  return isWorthSharing(nanoseconds) ? new SharedWork(nanoseconds) : alone;
}

interface Call {
  readonly kernel: Kernel;
  readonly integers: number[];
  readonly others: readonly number[];
}

const none: readonly number[] = [];
const lists = new Scratch();
const owned = new Scratch();

/** Work that all threads share. */
export class SharedWork implements Work {
  readonly width: number;
  private tasks: Call[][] = [];
  private readonly listed = new Map<object, object>();
  /** The most that any task takes of its thread's own memory. */
  private ownBytes = 0;

  /** @param nanoseconds what it all takes one thread */
  constructor(nanoseconds: number) {
    const threads = threadCount();
    this.width = Math.max(threads, Math.min(threads * TASKS_PER_THREAD, Math.floor(nanoseconds / TASK_NANOSECONDS)));
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
    this.tasks.push([]);
  }

  /** Puts a call on the list: integers, then arguments of other types. */
  call(kernel: Kernel, integers: number[], others: readonly number[] = none): void {
    this.tasks[this.tasks.length - 1]!.push({ kernel, integers, others });
  }

  run(): void {
    const { tasks, ownBytes } = this;
    this.tasks = [];
    if (tasks.length === 0) return;
    const own = ownBytes === 0 ? 0 : owned.take(ownBytes * threadCount());
    const take = (task: number): void => {
      for (const { kernel, integers, others } of tasks[task]!) {
        const args = others === none ? integers : [...integers, ...others];
        for (let k = 0; k < integers.length; k++) if (args[k]! >= OWN) args[k]! += own - OWN;
        kernel(...args);
      }
    };
    if (tasks.length === 1) take(0);
    else runJob({ list: write(tasks), tasks: tasks.length, own, ownBytes }, take);
  }
}

/** Writes the list of a job, as the threads read it, and gives the index of its first double. */
function write(tasks: readonly (readonly Call[])[]): number {
  const list: number[] = new Array<number>(tasks.length);
  tasks.forEach((calls, task) => {
    list[task] = list.length;
    list.push(calls.length);
    for (const { kernel, integers, others } of calls) {
      list.push(placeOf(kernel), integers.length, others.length);
      for (let k = 0; k < integers.length; k++) list.push(integers[k]!);
      for (let k = 0; k < others.length; k++) list.push(others[k]!);
    }
  });
  const index = lists.take(list.length * 8) / 8;
  views.f64.set(list, index);
  return index;
}

/**
 * Divides 0 … count into at most `width` pieces of whole units, at least one.
 * @param least elements of a piece that is worth a task
 */
export function eachPiece(
  width: number,
  count: number,
  unit: number,
  least: number,
  body: (first: number, size: number) => void,
): void {
  const pieces = Math.max(1, Math.min(width, Math.floor(count / least)));
  const size = Math.ceil(count / pieces / unit) * unit;
  let first = 0;
  do body(first, Math.min(size, count - first));
  while ((first += size) < count);
}
