import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reference } from '../src/backend/reference/index.ts';
import { wasmBackend } from '../src/backend/wasm/index.ts';
import { custom } from '../src/define/rules.ts';
import * as tg from '../src/index.ts';
import type { Profile, ProfileRow, Tensor } from '../src/index.ts';
import { modes } from '../src/modes.ts';

afterEach(() => {
  jest.restoreAllMocks();
  expect(modes.tracer).toBeNull();
  expect(tg.currentBackend().kernels).toBe(wasmBackend.kernels);
});

function quietly<T>(body: () => T): Profile<T> {
  return tg.profile(body, { print: false });
}

function rowOf({ rows }: Profile<unknown>, op: string): ProfileRow {
  return rows.find((row) => row.op === op)!;
}

const leaf = (...shape: number[]): Tensor => tg.randn(shape).requiresGrad_();

describe('the rows of a profile', () => {
  it('say what products and convolutions compute and move, forward and backward', () => {
    const [x, w] = [leaf(5, 7), leaf(3, 7)];
    const profile = quietly(() => x.linear(w).sum().backward());
    const linear = rowOf(profile, 'linear');
    expect(linear).toMatchObject({ calls: 2, flops: 3 * 2 * 5 * 7 * 3 });
    // Forward x, w and out; backward out's gradient, which is one number that repeats, and what is multiplied with it.
    expect(linear.bytes).toBe(4 * (35 + 21 + 15 + (1 + 21 + 35) + (1 + 35 + 21)));
    expect(linear.forward).toBeGreaterThan(0);
    expect(linear.backward).toBeGreaterThan(0);

    const [image, filters] = [leaf(2, 4, 6, 6), leaf(8, 2, 3, 3)];
    const convolution = rowOf(quietly(() => tg.conv2d(image, filters, null, { groups: 2 }).sum().backward()), 'convolution');
    expect(convolution).toMatchObject({ calls: 2, flops: 3 * 2 * (2 * 8 * 4 * 4) * (2 * 3 * 3) });
    const [a, b] = [tg.randn([6, 4, 5]), tg.randn([6, 5, 3])];
    expect(rowOf(quietly(() => a.matmul(b)), 'matmul').flops).toBe(2 * 6 * 4 * 5 * 3);
  });

  it('name elementwise operations, computations along rows and updates by what was called', () => {
    const x = leaf(4, 6);
    const update = tg.defineUpdate({ targets: 1, inputs: 1, params: 1 }, ([p], [g], [lr]) => [p!.sub(g!.mul(lr!))]);
    const { rows } = quietly(() => {
      x.tanh().mul(2).softmax(-1).logsumexp(1).sum().backward();
      x.detach().clone().mul_(3);
      update([x.detach().clone()], [x.grad!], [0.1]);
    });
    const phases = Object.fromEntries(rows.map(({ op, forward, backward }) => [op, [forward > 0, backward > 0]]));
    expect(phases).toMatchObject({
      tanh: [true, true],
      mul: [true, true],
      softmax: [true, true],
      logsumexp: [true, true],
      update: [true, false],
    });
    expect(rows.find(({ op }) => op === 'mul')!.calls).toBe(3);
  });

  it('give sums of gradients a row, and operations that only show a tensor otherwise none', () => {
    const x = leaf(3, 4);
    const profile = quietly(() => {
      const y = x.exp();
      y.reshape([12]).mul(y.flatten()).add(y.t().reshape([12])).sum().backward();
    });
    expect(rowOf(profile, 'sum of gradients').backward).toBeGreaterThan(0);
    expect(profile.rows.every(({ op }) => !/view|reshape|transpose/.test(op))).toBe(true);
  });

  it('keep the time of an operation apart from that of others that it calls', () => {
    const outer = custom<null>('outer', {
      forward: ([x]) => [x!.matmul(x!).tanh()],
      savesInputs: [0],
      vjp: (node, [g]) => [g!.mul(node.input(0))],
    });
    const x = leaf(20, 20);
    const profile = quietly(() => outer([x], null)[0]!.sum().backward());
    expect(rowOf(profile, 'outer')).toMatchObject({ calls: 2, forward: 0, flops: 0 });
    expect(rowOf(profile, 'outer').backward).toBeGreaterThan(0);
    expect(rowOf(profile, 'matmul')).toMatchObject({ calls: 1, backward: 0 });
    expect(rowOf(profile, 'tanh')).toMatchObject({ calls: 1, backward: 0 });
    expect(rowOf(profile, 'mul')).toBeUndefined();
  });

  it('do not count what steps of a backward pass call', () => {
    const [x, w] = [leaf(5, 7), leaf(3, 7)];
    const profile = quietly(() => {
      tg.ones([4, 4]).matmul(tg.ones([4, 4]));
      x.linear(w).sum().backward();
    });
    expect(rowOf(profile, 'matmul')).toMatchObject({ calls: 1, backward: 0 });
    expect(profile.operations.filter(({ op }) => op === 'matmul')).toHaveLength(1);
  });

  it('count derivatives of derivatives as backward', () => {
    const x = leaf(8);
    const profile = quietly(() => {
      const [g] = tg.grad(x.sin().sum(), [x], { createGraph: true });
      return tg.grad(g!.sum(), [x]);
    });
    expect(rowOf(profile, 'sin')).toMatchObject({ calls: 2 });
    expect(profile.kernels.some(({ op, phase }) => op === 'cos' && phase === 'forward')).toBe(false);
  });

  it('add up to no more than the whole', () => {
    const x = leaf(64, 64);
    const { rows, duration, kernels } = quietly(() => x.matmul(x).relu().sum().backward());
    const inKernels = rows.reduce((sum, { forward, backward }) => sum + forward + backward, 0);
    expect(inKernels).toBeCloseTo(kernels.reduce((sum, event) => sum + event.duration, 0), 9);
    expect(inKernels).toBeLessThanOrEqual(duration);
    expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(inKernels / duration, 9);
    expect(rows.map(({ share }) => share)).toEqual(rows.map(({ share }) => share).sort((a, b) => b - a));
  });
});

describe('profile', () => {
  it('returns what the body returns, and changes no bit of it', () => {
    const x = tg.randn([30, 30]);
    const step = (): number[] => {
      const w = x.clone().requiresGrad_();
      w.matmul(w).softmax(1).square().sum().backward();
      return [...w.grad!.reshape([-1]).toTypedArray()].map(Number);
    };
    expect(quietly(step).result).toEqual(step());
  });

  it('sees kernels of whatever backend runs', () => {
    const x = tg.randn([4]);
    const { kernels } = quietly(() => {
      x.exp();
      tg.withBackend(reference, () => x.exp());
      x.exp();
    });
    expect(kernels.map(({ op }) => op)).toEqual(['exp', 'exp', 'exp']);
  });

  it('takes the time from the clock that it is given', () => {
    let time = 100;
    const x = leaf(3, 3);
    const { duration, kernels, operations } = tg.profile(() => x.matmul(x), { print: false, clock: () => time++ });
    expect(kernels.map(({ start, duration: took }) => [start, took])).toEqual([[3, 1]]);
    expect(operations.map(({ start, duration: took }) => [start, took])).toEqual([[2, 3]]);
    expect(duration).toBe(5);
  });

  it('prints its table unless it shall not', () => {
    const said = jest.spyOn(console, 'log').mockImplementation(() => {});
    const table = tg.profile(() => leaf(4, 5).matmul(leaf(5, 6))).table();
    expect(said.mock.calls).toEqual([[table]]);
    quietly(() => tg.ones([3]));
    expect(said).toHaveBeenCalledTimes(1);
    const lines = table.split('\n');
    expect(lines[0]).toMatch(/^op +calls +forward ms +backward ms +MB +GFLOP +GFLOP\/s +share$/);
    expect(table).toMatch(/^matmul +1 +\d+\.\d{3} +0\.00 +0\.000 +\d+\.\d +\d+\.\d %$/m);
    expect(lines.slice(-3).map((line) => line.replace(/\d[\d.]*/g, 'N').split(/ {2,}/)[0])).toEqual([
      'in kernels',
      'outside kernels',
      'N ms in all',
    ]);
    expect(quietly(() => 1).table()).toContain('in kernels');
  });

  it('ends with its body, also when that fails, and refuses what would outlive it', async () => {
    expect(() => quietly(() => tg.ones([2]).matmul(tg.ones([3])))).toThrow(/matmul/);
    expect(modes.tracer).toBeNull();
    expect(() => quietly(async () => tg.ones([2]))).toThrow(/profile: the callback must be synchronous/);
    expect(() => quietly(() => quietly(() => 1))).toThrow(/profile: a profile is being taken already/);
    await Promise.resolve();
  });
});

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur: number;
  readonly cat: string;
  readonly args: Readonly<Record<string, unknown>>;
}

describe('the trace of a profile', () => {
  it('is a file of events that lie inside one another', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tapegrad-profile-'));
    const path = join(folder, 'trace.json');
    const [x, w] = [leaf(5, 7), leaf(3, 7)];
    const profile = tg.profile(() => x.linear(w).tanh().sum().backward(), { print: false, trace: path });
    const text = readFileSync(path, 'utf8');
    rmSync(folder, { recursive: true });
    expect(text).toBe(profile.trace());
    const { traceEvents } = JSON.parse(text) as { traceEvents: TraceEvent[] };
    const events = traceEvents.filter(({ ph }) => ph === 'X');
    expect(traceEvents).toHaveLength(events.length + 1);
    const end = ({ ts, dur }: TraceEvent): number => ts + dur;
    const inside = (a: TraceEvent, b: TraceEvent): boolean => a.ts >= b.ts - 0.002 && end(a) <= end(b) + 0.002;
    const [whole, ...rest] = events as [TraceEvent, ...TraceEvent[]];
    expect(whole.name).toBe('profile');
    for (const event of rest) {
      expect(inside(event, whole)).toBe(true);
      for (const other of rest) {
        const apart = end(event) <= other.ts + 0.002 || end(other) <= event.ts + 0.002;
        expect(apart || inside(event, other) || inside(other, event)).toBe(true);
      }
    }
    const product = rest.find(({ name }) => name === 'linear: matmul')!;
    expect(product).toMatchObject({ cat: 'kernel,forward', args: { flops: 210, bytes: 284, shapes: '[5, 3] [5, 7] [7, 3]' } });
    const steps = rest.filter(({ name, cat }) => name === 'linear' && cat === 'backward');
    expect(rest.filter((event) => event.name === 'linear: matmul' && inside(event, steps[0]!))).toHaveLength(2);
  });

  it('is refused as a file before anything runs where there is no Node', () => {
    const { process } = globalThis;
    const body = jest.fn(() => 1);
    try {
      Object.assign(globalThis, { process: undefined });
      expect(() => tg.profile(body, { trace: 'trace.json' })).toThrow(/in Node only/);
    } finally {
      Object.assign(globalThis, { process });
    }
    expect(body).not.toHaveBeenCalled();
  });
});
