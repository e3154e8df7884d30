import { dtypeInfo } from '../../dtype.ts';
import { views } from '../../heap.ts';
import { numel } from '../../shape.ts';
import { addressOf } from '../../storage.ts';
import type { AverageWindow, Strided, Window } from '../types.ts';
import { Assembler, type FunctionBuilder, i32, type Local } from './assembler.ts';
import { throughFloats, throughIntegers } from './dense.ts';
import { type FloatDType, type FloatType, perFloatType } from './floats.ts';
import { buildInside, FEW_TAPS, type InsideKernels } from './pooling-inside.ts';
import { Scratch } from './scratch.ts';
import { spatial, spatialWindow, tapOffsets } from './window.ts';
import { eachPiece, workOf } from './work.ts';
import { clear } from './zeros.ts';

/** Per dimension (depth, height, width): sizes of input and output, and the window. */
type Geometry = number[];

interface PoolingKernels {
  maxPool(out: number, x: number, extra: number, planes: number, ...geometry: Geometry): void;
  averagePool(out: number, x: number, extra: number, planes: number, ...geometry: Geometry): void;
  averagePoolTranspose(out: number, x: number, extra: number, planes: number, ...geometry: Geometry): void;
}

const DIMS = ['Depth', 'Height', 'Width'] as const;
const FACTS = ['size', 'count', 'kernel', 'stride', 'padding', 'dilation'] as const;
type Fact = `${(typeof FACTS)[number]}${(typeof DIMS)[number]}`;
type PoolParam = Fact | 'pooled' | 'x' | 'extra' | 'planes';
const facts = FACTS.flatMap((fact) => DIMS.map((dim) => [`${fact}${dim}`, 'i32'] as const));
const params = Object.fromEntries([
  ...(['pooled', 'x', 'extra', 'planes'] as const).map((name) => [name, 'i32'] as const),
  ...facts,
]) as Record<PoolParam, 'i32'>;
type PoolLocals = Readonly<Record<PoolParam, Local<'i32'>>>;

/** What happens at each window: before its elements, at each that is not padding, and after. */
interface WindowBody {
  before(at: readonly Local<'i32'>[]): void;
  element(address: Local<'i32'>, index: Local<'i32'>): void;
  after(): void;
}

/** Goes through all windows of all planes; the pointers to pooled elements move on by themselves. */
function eachWindow(f: FunctionBuilder, p: PoolLocals, bytes: number, body: WindowBody): void {
  const at = DIMS.map(() => f.i32());
  const tap = DIMS.map(() => f.i32());
  const position = DIMS.map(() => f.i32());
  const [index, address] = [f.i32(), f.i32()];
  const [depth, height, width] = [p.sizeDepth, p.sizeHeight, p.sizeWidth];
  const windowsOf = (d: number): void => {
    if (d < 3) f.for(at[d]!, 0, p[`count${DIMS[d]!}`], 1, () => windowsOf(d + 1));
    else {
      body.before(at);
      tapsOf(0);
      body.after();
      f.increment(p.pooled, bytes);
    }
  };
  const tapsOf = (d: number): void => {
    if (d === 3) {
      const row = i32.add(i32.mul(position[0]!, height), position[1]!);
      f.set(index, i32.add(i32.mul(row, width), position[2]!));
      f.set(address, i32.add(p.x, i32.mul(index, bytes)));
      body.element(address, index);
      return;
    }
    const dim = DIMS[d]!;
    const first = i32.sub(i32.mul(at[d]!, p[`stride${dim}`]), p[`padding${dim}`]);
    f.set(position[d]!, first);
    f.for(tap[d]!, 0, p[`kernel${dim}`], 1, () => {
      f.if(i32.ltU(position[d]!, p[`size${dim}`]), () => tapsOf(d + 1));
      f.increment(position[d]!, p[`dilation${dim}`]);
    });
  };
  f.repeat(p.planes, () => {
    windowsOf(0);
    f.increment(p.x, i32.mul(i32.mul(i32.mul(depth, height), width), bytes));
  });
}

function build(float: FloatType): PoolingKernels {
  const assembler = new Assembler();
  const { scalar, bytes, type } = float;

  assembler.function('maxPool', params, null, (f, p) => {
    const [best, value] = [f.local(type), f.local(type)];
    const found = f.i32();
    eachWindow(f, p, bytes, {
      before: () => {
        f.set(best, scalar.const(-Infinity));
        f.set(found, i32.const(-1));
      },
      element: (address, index) => {
        f.set(value, scalar.load(address));
        const isFirstNaN = i32.and(scalar.ne(value, value), scalar.eq(best, best));
        const isBetter = i32.or(scalar.gt(value, best), i32.or(i32.lt(found, 0), isFirstNaN));
        f.if(isBetter, () => {
          f.set(best, value);
          f.set(found, index);
        });
      },
      after: () => {
        f.if(i32.lt(found, 0), () => f.set(found, i32.const(0)));
        f.store(p.pooled, best);
        f.store(p.extra, found);
        f.increment(p.extra, 4);
      },
    });
  });

  /** The divisor of a window: the product of a factor per dimension, from three tables in a row. */
  const divisor = (f: FunctionBuilder, p: PoolLocals, at: readonly Local<'i32'>[]) => {
    const entry = (first: ReturnType<typeof i32.add>, d: number) =>
      scalar.load(i32.add(p.extra, i32.mul(i32.add(first, at[d]!), bytes)));
    const afterHeight = i32.add(p.countDepth, p.countHeight);
    return scalar.mul(scalar.mul(entry(i32.const(0), 0), entry(p.countDepth, 1)), entry(afterHeight, 2));
  };

  assembler.function('averagePool', params, null, (f, p) => {
    const [sum, by] = [f.local(type), f.local(type)];
    eachWindow(f, p, bytes, {
      before: (at) => {
        f.set(sum, scalar.const(0));
        f.set(by, divisor(f, p, at));
      },
      element: (address) => f.set(sum, scalar.add(sum, scalar.load(address))),
      after: () => f.store(p.pooled, scalar.div(sum, by)),
    });
  });

  assembler.function('averagePoolTranspose', params, null, (f, p) => {
    const share = f.local(type);
    eachWindow(f, p, bytes, {
      before: (at) => f.set(share, scalar.div(scalar.load(p.pooled), divisor(f, p, at))),
      element: (address) => f.store(address, scalar.add(scalar.load(address), share)),
      after: () => undefined,
    });
  });
  return assembler.compile<PoolingKernels>();
}

const kernelsFor = perFloatType(build);
const tables = new Scratch();

function geometryOf(x: Strided, pooled: Strided, window: Window): Geometry {
  const { kernel, stride, padding, dilation } = spatialWindow(window);
  const rank = window.kernel.length;
  const sizes = spatial(x.shape.slice(-rank), 1);
  const counts = spatial(pooled.shape.slice(-rank), 1);
  return [...sizes, ...counts, ...kernel, ...stride, ...padding, ...dilation];
}

/** Planes: everything before the spatial dimensions. */
function planesOf(x: Strided, window: Window): number {
  return numel(x.shape.slice(0, x.shape.length - window.kernel.length));
}

function start(x: Strided): number {
  return addressOf(x.storage) + x.offset * dtypeInfo[x.dtype].bytes;
}

const INDEX_BYTES = 4;
/** What it takes one thread to look at an element of a window, and where windows lie inside. */
const TAP_NANOSECONDS = 1;
const INSIDE_NANOSECONDS = 0.85;

/**
 * Calls a kernel for all planes, which several threads divide.
 * @param extraStep how far the extra operand goes on per pooled element; 0 for a table
 */
function callKernel(
  name: keyof PoolingKernels,
  dtype: FloatDType,
  pooled: number,
  x: number,
  extra: number,
  extraStep: number,
  planes: number,
  geometry: Geometry,
): void {
  const { bytes } = dtypeInfo[dtype];
  const [size, count, taps] = [0, 3, 6].map((fact) => numel(geometry.slice(fact, fact + 3))) as [number, number, number];
  const work = workOf(planes * count * taps * TAP_NANOSECONDS);
  const kernels = work.kernels(kernelsFor(dtype));
  eachPiece(work.width, planes, 1, 1, (first, some) => {
    work.task();
    const [to, from] = [pooled + first * count * bytes, x + first * size * bytes];
    kernels[name](to, from, extra + first * count * extraStep, some, ...geometry);
  });
  work.run();
}

/** Windows over the trailing spatial dims of [N, C, *]; indices are flat within them. */
export function maxPool(out: Strided, indices: Strided, x: Strided, window: Window): void {
  if (numel(out.shape) === 0) return;
  throughFloats([out], [x], ([pooled], [source]) => {
    throughIntegers(indices, (found) => {
      const { dtype } = source as { dtype: FloatDType };
      const [to, from, index] = [start(pooled!), start(source!), start(found)];
      const planes = planesOf(source!, window);
      const geometry = geometryOf(source!, pooled!, window);
      if (dtype === 'float32' && isInside(geometry)) maxPoolInside(to, index, from, planes, geometry, window);
      else callKernel('maxPool', dtype, to, from, index, INDEX_BYTES, planes, geometry);
    });
  });
}

/** Whether no window sees padding or overhangs. */
function isInside(geometry: Geometry): boolean {
  for (let d = 0; d < 3; d++) {
    // In the order of FACTS.
    const [size, count, kernel, stride] = [geometry[d]!, geometry[3 + d]!, geometry[6 + d]!, geometry[9 + d]!];
    const [padding, dilation] = [geometry[12 + d]!, geometry[15 + d]!];
    if (padding > 0 || (count - 1) * stride + (kernel - 1) * dilation >= size) return false;
  }
  return true;
}

/** By what their windows have in common. */
const inside = new Map<number, InsideKernels>();

function maxPoolInside(
  out: number,
  indices: number,
  x: number,
  planes: number,
  geometry: Geometry,
  window: Window,
): void {
  const [depthSize, heightSize, widthSize, depth, height, width] = geometry as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const all = spatialWindow(window);
  const strides = [heightSize * widthSize, widthSize, 1];
  const taps = tapOffsets(1, 0, all, strides);
  const table = tables.take(taps.length * 4);
  views.i32.set(taps, table / 4);
  const [planeStep, rowStep, step] = all.stride.map((stride, d) => stride * strides[d]!) as [
    number,
    number,
    number,
  ];
  const size = depthSize * heightSize * widthSize;
  const count = depth * height * width;
  const work = workOf(planes * count * taps.length * INSIDE_NANOSECONDS);
  const few = taps.length > FEW_TAPS ? 0 : taps.length;
  const apart = step === 1 || step === 2 ? step : 0;
  const key = few * 3 + apart;
  let built = inside.get(key);
  if (built === undefined) inside.set(key, (built = buildInside(few, apart)));
  const kernels = work.kernels(built);
  eachPiece(work.width, planes, 1, 1, (first, some) => {
    const [to, index, from] = [out + first * count * 4, indices + first * count * 4, x + first * size * 4];
    work.task();
    kernels.maxPool(to, index, from, some, size, depth, height, width, planeStep, rowStep, step, table, taps.length);
  });
  work.run();
}

/** Means over windows; padding counts as 0 in the sum. */
export function averagePool(out: Strided, x: Strided, window: AverageWindow): void {
  if (numel(out.shape) === 0) return;
  throughFloats([out], [x], ([pooled], [source]) => {
    const { dtype } = source as { dtype: FloatDType };
    const [to, from] = [start(pooled!), start(source!)];
    const table = writeDivisors(dtype, source!, pooled!, window);
    const geometry = geometryOf(source!, pooled!, window);
    callKernel('averagePool', dtype, to, from, table, 0, planesOf(source!, window), geometry);
  });
}

/** Its transpose: out has x's shape, g the pooled shape. */
export function averagePoolTranspose(out: Strided, g: Strided, window: AverageWindow): void {
  if (numel(out.shape) === 0) return;
  throughFloats([out], [g], ([target], [pooled]) => {
    const { dtype } = target as { dtype: FloatDType };
    const [from, to] = [start(pooled!), start(target!)];
    clear(target!);
    if (numel(g.shape) === 0) return;
    const table = writeDivisors(dtype, target!, pooled!, window);
    const geometry = geometryOf(target!, pooled!, window);
    callKernel('averagePoolTranspose', dtype, from, to, table, 0, planesOf(target!, window), geometry);
  });
}

/** Writes the factors of the divisors: per dimension, how many elements of each window count. */
function writeDivisors(dtype: FloatDType, x: Strided, pooled: Strided, window: AverageWindow): number {
  const { kernel, stride, padding, dilation } = spatialWindow(window);
  const rank = window.kernel.length;
  const sizes = spatial(x.shape.slice(-rank), 1);
  const counts = spatial(pooled.shape.slice(-rank), 1);
  const after = spatial(window.paddingAfter, 0);
  const factors: number[] = [];
  for (const d of [0, 1, 2] as const) {
    for (let i = 0; i < counts[d]; i++) {
      if (window.divisor !== null) factors.push(d === 0 ? window.divisor : 1);
      else {
        const [low, high] = window.countIncludePad ? [-padding[d], sizes[d] + after[d]] : [0, sizes[d]];
        const first = i * stride[d] - padding[d];
        let seen = 0;
        for (let tap = 0; tap < kernel[d]; tap++) {
          const position = first + tap * dilation[d];
          if (position >= low && position < high) seen++;
        }
        factors.push(seen);
      }
    }
  }
  const { bytes } = dtypeInfo[dtype];
  const table = tables.take(factors.length * bytes);
  (dtype === 'float32' ? views.f32 : views.f64).set(factors, table / bytes);
  return table;
}
