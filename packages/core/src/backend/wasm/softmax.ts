import { dtypeInfo } from '../../dtype.ts';
import { contiguousStrides, isContiguous, numel } from '../../shape.ts';
import { addressOf, freeStorage, Storage } from '../../storage.ts';
import type { Strided } from '../types.ts';
import {
  Assembler,
  call,
  f32,
  f64,
  type FunctionBuilder,
  i32,
  type Local,
  type Value,
  v128,
} from './assembler.ts';
import { copy } from './copy.ts';
import { float32Functions } from './elementwise-functions.ts';
import { laneTypes } from './elementwise-lanes.ts';
import { Scratch as Variables } from './elementwise-scratch.ts';
import { type FloatDType, type FloatType, isFloatDType, perFloatType } from './floats.ts';
import { forLines } from './lines.ts';

type RowKernel = (
  out: number,
  x: number,
  lines: number,
  outLine: number,
  xLine: number,
  count: number,
) => void;

interface SoftmaxKernels {
  readonly softmax: RowKernel;
  readonly logSoftmax: RowKernel;
}

type Vector = Value<'v128'>;

/** Below it exponentials are subnormal, which is slow; they become 0. Masks are full of them. */
const SMALLEST = -87.3;
/** Vectors of exponentials that are summed before the sum goes into a double. */
const BLOCK = 64;

function build(float: FloatType): SoftmaxKernels {
  const assembler = new Assembler();
  const exp = assembler.import('exp', ['f64'], 'f64');
  const log = assembler.import('log', ['f64'], 'f64');
  const { lanes, scalar, type } = float;
  const params = { out: 'i32', x: 'i32', lines: 'i32', outLine: 'i32', xLine: 'i32', count: 'i32' } as const;

  for (const name of ['softmax', 'logSoftmax'] as const) {
    assembler.function(name, params, null, (f, p) => {
      const row = new Row(f, float);
      const [extreme, sums, value] = [f.local('v128'), f.local('v128'), f.local('v128')];
      const total = f.local('f64');
      const shift = f.local('v128');
      const isTiny = f.local('v128');
      const block = f.i32();
      const variables = new Variables(f, laneTypes.float32, new Map());
      const exponential = (v: Local<'v128'>): Vector => {
        variables.restart(lanes.count);
        if (type === 'f32') {
          f.set(isTiny, lanes.lt(v, SMALLEST));
          f.set(v, lanes.pmax(v, SMALLEST));
          // The lowering looks at its first argument only.
          return v128.andNot(float32Functions.exp!(variables, v, v, v, undefined as never), isTiny);
        }
        return [0, 1].reduce<Vector>(
          (result, lane) => lanes.replace(result, lane, call(exp, lanes.extract(v, lane))),
          v,
        );
      };
      const flush = (): void => {
        for (let lane = 0; lane < lanes.count; lane++) {
          f.set(total, f64.add(total, asDouble(float, lanes.extract(sums, lane))));
        }
        f.set(sums, lanes.const(0));
        f.set(block, i32.const(BLOCK));
      };
      f.repeat(p.lines, () => {
        f.set(extreme, lanes.const(-Infinity));
        // A NaN is not seen here: it makes the sum NaN, and so the whole row.
        row.each(p.count, () => f.set(extreme, lanes.pmax(extreme, row.load(value, p.x))));
        const largest = f.local(type, lanes.extract(extreme, 0));
        for (let lane = 1; lane < lanes.count; lane++) {
          f.set(largest, scalar.max(largest, lanes.extract(extreme, lane)));
        }
        f.set(extreme, lanes.splat(largest));
        f.set(total, f64.const(0));
        flush();
        row.each(p.count, () => {
          f.set(value, lanes.sub(row.load(value, p.x), extreme));
          f.set(value, exponential(value));
          f.set(sums, lanes.add(sums, value));
          if (name === 'softmax') row.store(p.out, value);
          f.increment(block, -1);
          f.if(i32.eqz(block), flush);
        });
        flush();
        const last = name === 'softmax' ? f64.div(1, total) : call(log, total);
        f.set(shift, lanes.splat(type === 'f32' ? f32.fromF64(last) : last));
        row.each(p.count, () => {
          if (name === 'softmax') f.set(value, lanes.mul(row.load(value, p.out), shift));
          else f.set(value, lanes.sub(lanes.sub(row.load(value, p.x), extreme), shift));
          row.store(p.out, value);
        });
        f.increment(p.out, p.outLine);
        f.increment(p.x, p.xLine);
      });
    });
  }
  return assembler.compile<SoftmaxKernels>({ exp: Math.exp, log: Math.log });
}

function asDouble({ type }: FloatType, value: Value): Value<'f64'> {
  return type === 'f32' ? f64.fromF32(value as Value<'f32'>) : (value as Value<'f64'>);
}

/** A dense row that is visited by vectors; the last may be partial, and is filled up with -inf. */
class Row {
  private readonly f: FunctionBuilder;
  private readonly float: FloatType;
  private readonly offset: Local<'i32'>;
  private readonly left: Local<'i32'>;
  private isPartial = false;

  constructor(f: FunctionBuilder, float: FloatType) {
    this.f = f;
    this.float = float;
    this.offset = f.i32();
    this.left = f.i32();
  }

  /** Emits the body twice: for whole vectors, and for what remains. */
  each(count: Local<'i32'>, body: () => void): void {
    const { f, left, offset } = this;
    const lanes = this.float.lanes.count;
    f.set(left, count);
    f.set(offset, i32.const(0));
    this.isPartial = false;
    f.while(
      () => i32.ge(left, lanes),
      () => {
        body();
        f.increment(offset, 16);
        f.increment(left, -lanes);
      },
    );
    this.isPartial = true;
    f.if(i32.gt(left, 0), body);
  }

  load(to: Local<'v128'>, start: Local<'i32'>): Vector {
    const { f } = this;
    const { lanes } = this.float;
    const at = i32.add(start, this.offset);
    if (!this.isPartial) f.set(to, lanes.load(at));
    else {
      f.set(to, lanes.const(-Infinity));
      this.eachLane((lane, offset) => f.set(to, lanes.loadLane(to, lane, at, offset)));
    }
    return to;
  }

  store(start: Local<'i32'>, value: Local<'v128'>): void {
    const { f } = this;
    const at = i32.add(start, this.offset);
    if (!this.isPartial) f.store(at, value);
    else this.eachLane((lane, offset) => f.storeLane(this.float.bytes, lane, at, value, offset));
  }

  private eachLane(body: (lane: number, offset: number) => void): void {
    for (let lane = 0; lane < this.float.lanes.count - 1; lane++) {
      this.f.if(i32.gt(this.left, lane), () => body(lane, lane * this.float.bytes));
    }
  }
}

const kernelsFor = perFloatType(build);

/** exp(x - max) / sum along dim, or its logarithm. */
export function softmax(out: Strided, x: Strided, dim: number, log: boolean): void {
  if (numel(out.shape) === 0 || !isFloatDType(out.dtype)) return;
  const size = out.shape[dim] ?? 1;
  if (size === 1 || (out.strides[dim] === 1 && x.strides[dim] === 1)) rows(out.dtype, out, x, dim, size, log);
  else throughCopy(out.dtype, out, x, dim, size, log);
}

function rows(dtype: FloatDType, out: Strided, x: Strided, dim: number, size: number, log: boolean): void {
  const { bytes } = dtypeInfo[dtype];
  const kernels = kernelsFor(dtype);
  const kernel = log ? kernels.logSoftmax : kernels.softmax;
  const outAt = addressOf(out.storage);
  const xAt = addressOf(x.storage);
  if (isContiguous(out.shape, out.strides) && isContiguous(x.shape, x.strides)) {
    const line = size * bytes;
    kernel(outAt + out.offset * bytes, xAt + x.offset * bytes, numel(out.shape) / size, line, line, size);
    return;
  }
  forLines(dim, [out, x], ([to = 0, from = 0], lines, [outLine = 0, xLine = 0]) => {
    kernel(outAt + to * bytes, xAt + from * bytes, lines, outLine * bytes, xLine * bytes, size);
  });
}

/** Lines that are not dense: works on a copy in which they are. */
function throughCopy(
  dtype: FloatDType,
  out: Strided,
  x: Strided,
  dim: number,
  size: number,
  log: boolean,
): void {
  const last = (list: readonly number[]): number[] => [...list.filter((_, d) => d !== dim), list[dim]!];
  const moved = (t: Strided): Strided => ({ ...t, shape: last(t.shape), strides: last(t.strides) });
  const storage = new Storage(numel(x.shape) * dtypeInfo[dtype].bytes);
  const shape = last(x.shape);
  const dense: Strided = { storage, offset: 0, shape, strides: contiguousStrides(shape), dtype };
  copy(dense, moved(x));
  rows(dtype, dense, dense, shape.length - 1, size, log);
  copy(moved(out), dense);
  freeStorage(storage);
}
