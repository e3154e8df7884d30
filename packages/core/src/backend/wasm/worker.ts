/**
 * Words of the control block, through which threads find work: 32-bit integers. Those that all threads write to lie on
 * cache lines of their own.
 */
export const words = {
  /** Counts jobs; threads without work wait for it to change. */
  generation: 0,
  /** Tasks of the job that nobody has taken; negative where threads looked for more. Task n-1 is taken first. */
  left: 16,
  /** Tasks that are not finished. */
  pending: 32,
  /** Not 0 when the threads shall end. */
  stopped: 48,
  /** Where the list of the tasks' starts is, in doubles. */
  list: 49,
  /** Memory that each thread has of its own: where that of thread 0 is, and how many bytes everyone has. */
  own: 50,
  ownBytes: 51,
  /** Size of the heap in pages. */
  pages: 52,
  /** Per thread what became of a task that it could not finish: see `failures`. */
  failed: 53,
} as const;

/** What a thread leaves behind that could not finish a task: `unstarted` plus the task's number, or `broken`. */
export const failures = { none: 0, unstarted: 1, broken: -1 } as const;

/** Integers of a call from here on are offsets in the memory that each thread has of its own. */
export const OWN: number = 2 ** 32;

/** How long a thread without work looks for more before it sleeps, in milliseconds. */
export const PATIENCE = 0.2;

/** What a thread is given. */
export interface Orders {
  readonly memory: WebAssembly.Memory;
  /** Index of the control block's first word. */
  readonly control: number;
  /** 1, 2, …; the caller is thread 0. */
  readonly thread: number;
}

/**
 * The program of a worker, for Node and browsers. It takes tasks until it is stopped. A job's list is made of doubles:
 * where each task starts, among all doubles of the heap. A task is the number of its calls, and per call a kernel, how many
 * integers and how many other numbers it takes, and these. A kernel stands for three doubles: address and size of its module's bytes, and its
 * place among the exports. What a module imports is known by name: the memory, and functions of Math.
 */
export const workerSource: string = `
const work = ({ memory, control, thread }) => {
  let buffer, i32, f64;
  const at = (word) => control + word;
  const look = (pages) => {
    while (buffer === undefined || buffer.byteLength < pages * 65536) buffer = memory.buffer;
    if (i32?.buffer !== buffer) [i32, f64] = [new Int32Array(buffer), new Float64Array(buffer)];
  };
  const modules = new Map();
  const kernels = new Map();
  const exportsOf = (address, size) => {
    let exports = modules.get(address);
    if (exports === undefined) {
      const module = new WebAssembly.Module(new Uint8Array(buffer, address, size).slice());
      const env = { memory };
      for (const { name, kind } of WebAssembly.Module.imports(module)) if (kind === 'function') env[name] = Math[name];
      exports = Object.values(new WebAssembly.Instance(module, { env }).exports);
      modules.set(address, exports);
    }
    return exports;
  };
  const kernelOf = (index) => {
    let kernel = kernels.get(index);
    if (kernel === undefined) {
      kernel = exportsOf(f64[index], f64[index + 1])[f64[index + 2]];
      kernels.set(index, kernel);
    }
    return kernel;
  };
  const args = [];
  // Goes over the calls of a task.
  const eachCall = (task, body) => {
    let k = f64[i32[at(${words.list})] + task];
    for (let count = f64[k++]; count > 0; count--) {
      body(kernelOf(f64[k]), k + 3, f64[k + 1], f64[k + 2]);
      k += 3 + f64[k + 1] + f64[k + 2];
    }
  };
  const call = (kernel, first, integers, others) => {
    const own = (i32[at(${words.own})] >>> 0) + thread * i32[at(${words.ownBytes})];
    args.length = integers + others;
    for (let n = 0; n < args.length; n++) {
      const arg = f64[first + n];
      args[n] = n < integers && arg >= ${OWN} ? arg + own - ${OWN} : arg;
    }
    kernel(...args);
  };
  const take = (task) => {
    look(i32[at(${words.pages})]);
    let failure = task + ${failures.unstarted};
    try {
      eachCall(task, () => undefined);
      failure = ${failures.broken};
      eachCall(task, call);
      failure = ${failures.none};
    } catch {
      Atomics.store(i32, at(${words.failed} + thread), failure);
    }
    if (Atomics.sub(i32, at(${words.pending}), 1) === 1) Atomics.notify(i32, at(${words.pending}));
    return failure === ${failures.none};
  };
  const idle = (seen) => {
    const until = performance.now() + ${PATIENCE};
    do {
      for (let k = 0; k < 256; k++) if (Atomics.load(i32, at(${words.generation})) !== seen) return;
    } while (performance.now() < until);
    Atomics.wait(i32, at(${words.generation}), seen);
  };
  look(0);
  for (;;) {
    // Who stops the threads changes the generation last: looked at in the other order, that could be missed.
    const seen = Atomics.load(i32, at(${words.generation}));
    if (Atomics.load(i32, at(${words.stopped})) !== 0) return;
    for (let left; (left = Atomics.sub(i32, at(${words.left}), 1)) > 0; ) if (!take(left - 1)) return;
    idle(seen);
  }
};
if (typeof require === 'function') work(require('node:worker_threads').workerData);
else onmessage = ({ data }) => { work(data); close(); };
`;
