import { describe, expect, it } from '@jest/globals';
import { heapMemory, views } from '../src/heap.ts';
import {
  Assembler,
  call,
  f32,
  f32x4,
  f64,
  f64x2,
  i16x8,
  i32,
  i32x4,
  i64,
  i64x2,
  i8x16,
  select,
  v128,
  type Value,
} from '../src/backend/wasm/assembler.ts';

const AT = 512;

/** The 16 bytes that a vector expression computes, over two vectors in memory. */
function vector(expression: (a: Value<'v128'>, b: Value<'v128'>) => Value<'v128'>): () => void {
  const assembler = new Assembler();
  assembler.function('run', { at: 'i32' }, null, (f, { at }) => {
    f.store(at, expression(f32x4.load(at, 16), f32x4.load(at, 32)));
  });
  const { run } = assembler.compile<{ run(at: number): void }>();
  return () => run(AT);
}

describe('assembler', () => {
  it('runs a loop with a remainder', () => {
    heapMemory();
    const assembler = new Assembler();
    assembler.function('add', { out: 'i32', x: 'i32', n: 'i32' }, null, (f, { out, x, n }) => {
      const i = f.i32();
      f.for(i, 0, i32.sub(n, 3), 4, () => {
        f.store(out, f32x4.add(f32x4.load(x), 1));
        f.increment(out, 16);
        f.increment(x, 16);
      });
      f.for(i, i, n, 1, () => {
        f.store(out, f32.add(f32.load(x), 1));
        f.increment(out, 4);
        f.increment(x, 4);
      });
    });
    const { add } = assembler.compile<{ add(out: number, x: number, n: number): void }>();
    for (let n = 0; n < 10; n++) {
      views.f32.fill(0, AT / 4, AT / 4 + 64);
      for (let i = 0; i < n; i++) views.f32[AT / 4 + i] = i * 10;
      add(AT + 128, AT, n);
      expect(Array.from(views.f32.subarray(AT / 4 + 32, AT / 4 + 43))).toEqual(
        Array.from({ length: 11 }, (_, i) => (i < n ? i * 10 + 1 : 0)),
      );
    }
  });

  it('calls imports and its own functions, branches and returns early', () => {
    const assembler = new Assembler();
    const hypot = assembler.import('hypot', ['f64', 'f64'], 'f64');
    const twice = assembler.function(null, { x: 'f64' }, 'f64', (f, { x }) => f.return(f64.add(x, x)));
    assembler.function('run', { x: 'f64' }, 'f64', (f, { x }) => {
      f.if(f64.lt(x, 0), () => f.return(f64.const(-1)));
      const k = f.i32();
      f.block((out) => {
        f.loop((again) => {
          f.increment(k, 1);
          f.branch(out, i32.eq(k, 5));
          f.branch(again);
        });
      });
      f.return(f64.add(f64.fromI32(k), call(twice, call(hypot, x, f64.const(4)))));
    });
    const { run } = assembler.compile<{ run(x: number): number }>({ hypot: Math.hypot });
    expect(run(3)).toBe(15);
    expect(run(-3)).toBe(-1);
  });

  it('computes every instruction of every table', () => {
    const assembler = new Assembler();
    const tables = { i32, i64, f32, f64, v128, f32x4, f64x2, i32x4, i64x2, i16x8, i8x16 };
    const special = new Set(
      'const extract replace loadLane shuffle count bytes relaxedMadd bitselect splat'.split(' '),
    );
    let count = 0;
    for (const [name, table] of Object.entries(tables)) {
      for (const [op, make] of Object.entries(table) as [string, (...args: unknown[]) => Value][]) {
        if (special.has(op)) continue;
        assembler.function(`${name}.${op}`, { p: 'i32' }, null, (f, { p }) => {
          f.store(i32.add(p, 64), op.startsWith('load') ? make(p, 16) : make(6, 3));
        });
        count++;
      }
    }
    const run = assembler.compile<Record<string, (at: number) => void>>();
    expect(Object.keys(run)).toHaveLength(count);
    const value: (name: string, view: Float32Array | Float64Array | Int32Array) => number = (name, view) => {
      run[name]!(AT);
      return view[(AT + 64) / view.BYTES_PER_ELEMENT]!;
    };
    expect(value('i32.sub', views.i32)).toBe(3);
    expect(value('i32.shl', views.i32)).toBe(48);
    expect(value('i64.rem', views.i32)).toBe(0);
    expect(value('f32.div', views.f32)).toBe(2);
    expect(value('f64.copysign', views.f64)).toBe(6);
    expect(value('f64.sqrt', views.f64)).toBe(Math.sqrt(6));
    expect(value('f32x4.sub', views.f32)).toBe(3);
    expect(value('f32x4.pmax', views.f32)).toBe(6);
    expect(value('f64x2.pmin', views.f64)).toBe(3);
    expect(value('f64x2.mul', views.f64)).toBe(18);
    expect(value('i32x4.mul', views.i32)).toBe(18);
    expect(value('i32x4.shrU', views.i32)).toBe(0);
    expect(value('i32x4.max', views.i32)).toBe(6);
    expect(value('i16x8.mul', views.i32)).toBe(18 * 65537);
    expect(value('i8x16.narrowI16x8', views.i32)).toBe(0x7f7f7f7f);
    expect(value('i64x2.gt', views.i32)).toBe(-1);
  });

  it('moves lanes', () => {
    const expectLanes = (lanes: number[]): void =>
      expect(Array.from(views.f32.subarray(AT / 4, AT / 4 + 4))).toEqual(lanes);
    views.f32.set([1, 2, 3, 4, 5, 6, 7, 8], AT / 4 + 4);
    vector((a, b) => f32x4.shuffle(a, b, [0, 4, 3, 7]))();
    expectLanes([1, 5, 4, 8]);
    vector((a) => f32x4.replace(a, 2, f32x4.extract(a, 3)))();
    expectLanes([1, 2, 4, 4]);
    vector((a, b) => v128.bitselect(a, b, f32x4.gt(a, 2)))();
    expectLanes([5, 6, 3, 4]);
    vector((a, b) => select(i32.const(1), f32x4.splat(f32x4.extract(b, 1)), a))();
    expectLanes([6, 6, 6, 6]);
    vector((a) => f32x4.loadLane(a, 1, i32.const(AT + 44)))();
    expectLanes([1, 8, 3, 4]);
    vector((a) => f32x4.fromI32x4(i32x4.truncF32x4(f32x4.mul(a, 1.5))))();
    expectLanes([1, 3, 4, 6]);
    vector((a) => f64x2.promoteF32x4(a))();
    expect(Array.from(views.f64.subarray(AT / 8, AT / 8 + 2))).toEqual([1, 2]);
  });

  it('stores single lanes and bytes, copies and fills memory', () => {
    const assembler = new Assembler();
    assembler.function('run', { p: 'i32' }, null, (f, { p }) => {
      f.fillMemory(p, 7, 16);
      f.copyMemory(i32.add(p, 16), p, 4);
      f.store8(p, i32.const(9), 17);
      f.storeLane(4, 2, p, f32x4.load(p, 32), 20);
    });
    views.f32.set([1, 2, 3, 4], AT / 4 + 8);
    assembler.compile<{ run(p: number): void }>().run(AT);
    expect(Array.from(views.u8.subarray(AT + 14, AT + 20))).toEqual([7, 7, 7, 9, 7, 7]);
    expect(views.f32[AT / 4 + 5]).toBe(3);
  });
});
