import { observeKernels } from './backend/registry.ts';
import { DeviceError, TapegradError } from './errors.ts';
import { modes, runInside } from './modes.ts';
import { checkOptions, none, type OptionNames } from './option-names.ts';
import { Profiler, type KernelEvent, type OperationEvent } from './profiler.ts';

export type { KernelEvent, OperationEvent, Phase } from './profiler.ts';

/** What `profile` does beside measuring. */
export interface ProfileOptions {
  /** Print the table; default true. */
  print?: boolean;
  /** In Node: the file to which the trace is written. */
  trace?: string;
  /** What tells the time, in milliseconds; default `performance.now`. */
  clock?: () => number;
}

const profileNames: OptionNames<ProfileOptions> = { print: 1, trace: 1, clock: 1 };

/** What one operation took. */
export interface ProfileRow {
  readonly op: string;
  /** How often it ran, steps of backward passes included. */
  readonly calls: number;
  /** Milliseconds in its own kernels, not in those of operations that it calls. */
  readonly forward: number;
  /** The same for its steps of backward passes, with all that they call. */
  readonly backward: number;
  /** Bytes that its kernels read and write. */
  readonly bytes: number;
  /** Additions and multiplications in products of matrices and convolutions. */
  readonly flops: number;
  /** Part of the whole time, 0 to 1. */
  readonly share: number;
}

/** Where the time of a computation went. */
export class Profile<T> {
  /** What the body returned. */
  readonly result: T;
  /** Milliseconds from its start to its end. */
  readonly duration: number;
  /** Every call of a kernel, in order. */
  readonly kernels: readonly KernelEvent[];
  /** Every call of an operation that is not elementwise, and every step of a backward pass, in order of their ends. */
  readonly operations: readonly OperationEvent[];
  /** One row per operation that ran kernels, the longest first. */
  readonly rows: readonly ProfileRow[];

  constructor(result: T, duration: number, { kernelEvents, operationEvents, calls }: Profiler) {
    this.result = result;
    this.duration = duration;
    this.kernels = kernelEvents;
    this.operations = operationEvents;
    this.rows = rowsOf(kernelEvents, calls, duration);
  }

  /** The rows as text. What is not spent in kernels goes to the engine, and to whatever else the body does. */
  table(): string {
    const { rows, duration } = this;
    const sum = (key: 'forward' | 'backward' | 'bytes' | 'flops' | 'calls' | 'share'): number =>
      rows.reduce((total, row) => total + row[key], 0);
    const all: ProfileRow = {
      op: 'in kernels',
      calls: sum('calls'),
      forward: sum('forward'),
      backward: sum('backward'),
      bytes: sum('bytes'),
      flops: sum('flops'),
      share: sum('share'),
    };
    const cells = [...rows, all].map(cellsOf);
    const rest = ['outside kernels', '', '', '', '', '', '', percent(1 - all.share)];
    const whole = [`${milliseconds(duration)} ms in all`, '', '', '', '', '', '', percent(1)];
    const lines = [HEAD, ...cells, rest, whole];
    const widths = HEAD.map((_, c) => Math.max(...lines.map((line) => line[c]!.length)));
    const text = (line: readonly string[]): string =>
      line.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join('  ').trimEnd();
    const rule = '-'.repeat(text(HEAD).length);
    return [text(HEAD), rule, ...cells.slice(0, -1).map(text), rule, ...[cells.at(-1)!, rest, whole].map(text)].join('\n');
  }

  /** The events as JSON, which `chrome://tracing` and ui.perfetto.dev open. */
  trace(): string {
    const { kernels, operations, duration } = this;
    const event = (name: string, category: string, start: number, time: number, args: object = {}): object => ({
      name,
      cat: category,
      ph: 'X',
      ts: microseconds(start),
      dur: microseconds(time),
      pid: 1,
      tid: 1,
      args,
    });
    const events = [
      { name: 'process_name', ph: 'M', pid: 1, tid: 1, args: { name: 'tapegrad' } },
      event('profile', 'profile', 0, duration),
      ...operations.map(({ op, phase, start, duration: time }) => event(op, phase, start, time)),
      ...kernels.map(({ op, phase, kernel, start, duration: time, bytes, flops, shapes }) =>
        event(op === kernel ? op : `${op}: ${kernel}`, `kernel,${phase}`, start, time, {
          bytes,
          flops,
          shapes: shapes.map((shape) => `[${shape.join(', ')}]`).join(' '),
        }),
      ),
    ];
    return JSON.stringify({ traceEvents: events, displayTimeUnit: 'ms' });
  }
}

/**
 * Runs `body` and measures where the time goes, operation by operation: in the forward pass and in backward passes,
 * with the bytes that kernels read and write and, for products of matrices and convolutions, their arithmetic. Prints a
 * table. Measuring takes about a microsecond per call of a kernel.
 *
 * @throws GradError if the body returns a promise
 * @throws TapegradError inside the body of another profile
 * @throws DeviceError if a file is asked for where there is no Node
 * @example
 * const { result, rows } = tg.profile(() => tg.ones([2, 3]).matmul(tg.ones([3, 4])), { print: false });
 * const { calls, flops } = rows.find(({ op }) => op === 'matmul')!;
 * console.log(result.shape, calls, flops); // → [ 2, 4 ] 1 48
 * @source torch.profiler.profile
 */
export function profile<T>(body: () => T, options: ProfileOptions = none): Profile<T> {
  checkOptions('profile', options, profileNames);
  const { print = true, trace, clock = () => performance.now() } = options;
  if (modes.tracer !== null) throw new TapegradError('profile: a profile is being taken already; take one after the other', { op: 'profile' });
  const write = trace === undefined ? null : fileWriter();
  const profiler = new Profiler(clock);
  const enter = (): (() => void) => {
    modes.tracer = profiler;
    observeKernels((kernels) => profiler.watch(kernels));
    return () => {
      modes.tracer = null;
      observeKernels(null);
    };
  };
  const start = profiler.now();
  let end = start;
  const result = runInside('profile', enter, () => {
    try {
      return body();
    } finally {
      end = profiler.now();
    }
  });
  const measured = new Profile(result, end - start, profiler);
  if (print) console.log(measured.table());
  if (trace !== undefined) write!(trace, measured.trace());
  return measured;
}

const HEAD = ['op', 'calls', 'forward ms', 'backward ms', 'MB', 'GFLOP', 'GFLOP/s', 'share'];

function rowsOf(events: readonly KernelEvent[], calls: ReadonlyMap<string, number>, duration: number): ProfileRow[] {
  const rows = new Map<string, { op: string; calls: number; forward: number; backward: number; bytes: number; flops: number; share: number }>();
  for (const { op, phase, duration: time, bytes, flops } of events) {
    let row = rows.get(op);
    if (row === undefined) {
      row = { op, calls: calls.get(op) ?? 0, forward: 0, backward: 0, bytes: 0, flops: 0, share: 0 };
      rows.set(op, row);
    }
    row[phase] += time;
    row.bytes += bytes;
    row.flops += flops;
    row.share += duration === 0 ? 0 : time / duration;
  }
  return [...rows.values()].sort((a, b) => b.share - a.share);
}

function cellsOf({ op, calls, forward, backward, bytes, flops, share }: ProfileRow): string[] {
  const time = forward + backward;
  const some = (value: number, text: string): string => (value === 0 ? '' : text);
  return [
    op,
    String(calls),
    some(forward, milliseconds(forward)),
    some(backward, milliseconds(backward)),
    (bytes / 1e6).toFixed(2),
    some(flops, (flops / 1e9).toFixed(3)),
    some(flops * time, (flops / time / 1e6).toFixed(1)),
    percent(share),
  ];
}

function milliseconds(time: number): string {
  return time.toFixed(3);
}

function microseconds(time: number): number {
  return Math.round(time * 1e6) / 1e3;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

/** Writes a file, in Node. */
function fileWriter(): (path: string, text: string) => void {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const files = process?.getBuiltinModule?.('node:fs') as { writeFileSync(path: string, text: string): void } | undefined;
  if (files === undefined) {
    throw new DeviceError('profile: a file can be written in Node only; take the text from trace() of the result', {
      op: 'profile',
      argument: 'trace',
    });
  }
  return (path, text) => files.writeFileSync(path, text);
}
