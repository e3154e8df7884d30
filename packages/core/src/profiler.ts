import { currentTask } from './autodiff/engine.ts';
import type { Kernels, Strided } from './backend/types.ts';
import { dtypeInfo } from './dtype.ts';
import { modes, type Tracer } from './modes.ts';
import { numel, type Shape } from './shape.ts';

/** Whether something belongs to a backward pass. */
export type Phase = 'forward' | 'backward';

/** A stretch of time in which an operation ran, others that it called included. Times are milliseconds. */
export interface OperationEvent {
  readonly op: string;
  readonly phase: Phase;
  /** Since the profile began. */
  readonly start: number;
  readonly duration: number;
}

/** One call of a kernel, for the operation that wanted it. */
export interface KernelEvent extends OperationEvent {
  readonly kernel: string;
  /** Bytes that it reads and writes; elements that repeat are counted once. */
  readonly bytes: number;
  /** Additions and multiplications of products of matrices and convolutions; 0 for other kernels. */
  readonly flops: number;
  /** Of the results, then of the inputs. */
  readonly shapes: readonly Shape[];
}

/** Sums of gradients, which the engine makes between steps. */
const SUMS = 'sum of gradients';

type Flops = (first: Strided, second: Strided, third: Strided) => number;

/** By kernel, from its tensors in the order in which it takes them. */
const flopsOf: Readonly<Partial<Record<keyof Kernels, Flops>>> = {
  matmul: (out, a) => 2 * numel(out.shape) * a.shape.at(-1)!,
  convolution: (out, _x, w) => 2 * numel(out.shape) * perFilter(w),
  convolutionInput: (_out, g, w) => 2 * numel(g.shape) * perFilter(w),
  convolutionWeight: (out, g) => 2 * numel(g.shape) * perFilter(out),
};

function perFilter(w: Strided): number {
  return numel(w.shape.slice(1));
}

/** Keeps what happens while it watches operations and kernels. */
export class Profiler implements Tracer {
  readonly kernelEvents: KernelEvent[] = [];
  readonly operationEvents: OperationEvent[] = [];
  readonly calls: Map<string, number> = new Map();
  private readonly clock: () => number;
  private readonly began: number;
  /** The step of a backward pass that runs: all that it does is its own. */
  private step: string | null = null;
  /** The operation whose forward function runs. */
  private operation: string | null = null;

  constructor(clock: () => number) {
    this.clock = clock;
    this.began = clock();
  }

  /** Milliseconds since the start. */
  now(): number {
    return this.clock() - this.began;
  }

  forward<A extends readonly unknown[], R>(op: string, body: (...args: A) => R, ...args: A): R {
    // What a step of a backward pass calls counts as its own.
    if (this.step !== null) return body(...args);
    const before = this.operation;
    this.operation = op;
    this.count(op);
    try {
      return this.timed(op, 'forward', body, args);
    } finally {
      this.operation = before;
    }
  }

  backward<A extends readonly unknown[], R>(op: string, body: (...args: A) => R, ...args: A): R {
    const before = this.step;
    this.step = op;
    this.count(op);
    try {
      return this.timed(op, 'backward', body, args);
    } finally {
      this.step = before;
    }
  }

  /** The same kernels, watched. */
  watch(kernels: Kernels): Kernels {
    const watched = Object.entries(kernels).map(([name, kernel]) => {
      const call = kernel as (...args: unknown[]) => void;
      return [name, (...args: unknown[]) => this.runKernel(name as keyof Kernels, call, args)];
    });
    return Object.fromEntries(watched) as unknown as Kernels;
  }

  private runKernel(kernel: keyof Kernels, call: (...args: unknown[]) => void, args: unknown[]): void {
    const { caller } = modes;
    modes.caller = '';
    const phase = currentTask() >= 0 ? 'backward' : 'forward';
    const op = this.step ?? (phase === 'backward' ? SUMS : caller || this.operation || kernel);
    if (this.step === null && op !== this.operation) this.count(op);
    const start = this.now();
    call(...args);
    const duration = this.now() - start;
    const tensors = tensorsIn(args);
    const shapes = tensors.map(({ shape }) => shape);
    const flops = flopsOf[kernel]?.(...(tensors as [Strided, Strided, Strided])) ?? 0;
    this.kernelEvents.push({ op, phase, start, duration, kernel, bytes: bytesOf(tensors), flops, shapes });
  }

  private timed<A extends readonly unknown[], R>(op: string, phase: Phase, body: (...args: A) => R, args: A): R {
    const start = this.now();
    try {
      return body(...args);
    } finally {
      this.operationEvents.push({ op, phase, start, duration: this.now() - start });
    }
  }

  private count(op: string): void {
    this.calls.set(op, (this.calls.get(op) ?? 0) + 1);
  }
}

/** The tensors among the arguments of a kernel, also those in lists. */
function tensorsIn(args: readonly unknown[], found: Strided[] = []): Strided[] {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (Array.isArray(arg)) tensorsIn(arg, found);
    else if (typeof arg === 'object' && arg !== null && (arg as Partial<Strided>).storage !== undefined) found.push(arg as Strided);
  }
  return found;
}

function bytesOf(tensors: readonly Strided[]): number {
  let bytes = 0;
  for (const { shape, strides, dtype } of tensors) {
    let size = dtypeInfo[dtype].bytes;
    for (let d = 0; d < shape.length; d++) if (strides[d] !== 0) size *= shape[d]!;
    bytes += size;
  }
  return bytes;
}
