import {
  Assembler,
  f32,
  f32x4,
  f64,
  f64x2,
  type FunctionBuilder,
  i32,
  type Local,
  type Operand,
  type Value,
} from './assembler.ts';
import { type FloatDType, type FloatType, perFloatType } from './floats.ts';

/** Folds that have vector kernels. */
export type FloatFold = 'sum' | 'prod' | 'max' | 'min';

interface FoldInfo {
  readonly start: number;
  readonly instruction: 'add' | 'mul' | 'max' | 'min';
}

/** What each fold starts from, and the instruction that takes one more. `max` and `min` let NaN win. */
export const folds: Readonly<Record<FloatFold, FoldInfo>> = {
  sum: { start: 0, instruction: 'add' },
  prod: { start: 1, instruction: 'mul' },
  max: { start: -Infinity, instruction: 'max' },
  min: { start: Infinity, instruction: 'min' },
};

/** A fold over two nested loops of one type and kind; steps in bytes. */
export interface RowFold {
  /** For each of `lines`: folds n0 by n1 elements. */
  rows(
    out: number,
    x: number,
    lines: number,
    outLine: number,
    xLine: number,
    n0: number,
    step0: number,
    n1: number,
    step1: number,
  ): void;
}

/** The same for columns that lie side by side. */
export interface ColumnFold {
  /** Folds n0 by n1 rows of dense columns into dense results; `spare` has room for a strip of doubles. */
  columns(
    out: number,
    x: number,
    columns: number,
    n0: number,
    step0: number,
    n1: number,
    step1: number,
    spare: number,
  ): void;
}

/** Vectors of partial results, which hide the latency of the instruction. */
const PARTIALS = 8;
/**
 * Sums of single precision are taken in blocks of this many additions, and the blocks are summed in double
 * precision, so that the error does not grow with the number of elements.
 */
const BLOCK = 128;
/** Bytes that `columns` needs: the blocks' sums of a strip. */
export const SPARE_BYTES: number = PARTIALS * 32;

type Scalar = Value<'f32' | 'f64'>;

/** A running result, in double precision for sums. */
interface Total {
  readonly local: Local;
  reset(): void;
  take(value: Scalar): void;
  result(): Value;
}

function totalOf(f: FunctionBuilder, kind: FloatFold, { scalar, type }: FloatType): Total {
  const { start, instruction } = folds[kind];
  if (kind === 'sum' && type === 'f32') {
    const local = f.local('f64');
    return {
      local,
      reset: () => f.set(local, f64.const(0)),
      take: (value) => f.set(local, f64.add(local, f64.fromF32(value as Value<'f32'>))),
      result: () => f32.fromF64(local),
    };
  }
  const local = f.local(type);
  return {
    local,
    reset: () => f.set(local, scalar.const(start)),
    take: (value) => f.set(local, scalar[instruction](local, value)),
    result: () => local,
  };
}

function defineRows(assembler: Assembler, kind: FloatFold, float: FloatType): void {
  const { scalar, lanes, bytes, type } = float;
  const { start, instruction } = folds[kind];
  const lines = { out: 'i32', x: 'i32', lines: 'i32', outLine: 'i32', xLine: 'i32' } as const;
  const loops = { n0: 'i32', step0: 'i32', n1: 'i32', step1: 'i32' } as const;
  assembler.function('rows', { ...lines, ...loops }, null, (f, p) => {
    const [outer, at, left, block] = [f.i32(), f.i32(), f.i32(), f.i32()];
    const total = totalOf(f, kind, float);
    const partials = Array.from({ length: PARTIALS }, () => f.local('v128'));
    const few = f.local(type);

    /** Takes vectors while they last: `width` of them at a time, in blocks. */
    const takeVectors = (width: number): void => {
      const elements = width * lanes.count;
      f.while(
        () => i32.ge(left, elements),
        () => {
          for (let k = 0; k < width; k++) f.set(partials[k]!, lanes.const(start));
          f.set(block, shorter(f, divided(left, elements), BLOCK));
          f.increment(left, i32.mul(block, -elements));
          f.countdown(block, (fence) => {
            for (let k = 0; k < width; k++) {
              f.set(partials[k]!, lanes[instruction](partials[k]!, lanes.load(at, k * 16)));
              if (k === PARTIALS / 2 - 1) fence();
            }
            f.increment(at, width * 16);
          });
          for (let half = width / 2; half >= 1; half /= 2) {
            for (let k = 0; k < half; k++) {
              f.set(partials[k]!, lanes[instruction](partials[k]!, partials[k + half]!));
            }
          }
          for (let k = 0; k < lanes.count; k++) total.take(lanes.extract(partials[0]!, k));
        },
      );
    };

    f.repeat(p.lines, () => {
      total.reset();
      f.set(outer, p.x);
      f.repeat(p.n0, () => {
        f.set(at, outer);
        f.set(left, p.n1);
        f.if(i32.eq(p.step1, bytes), () => {
          takeVectors(PARTIALS);
          takeVectors(1);
        });
        f.while(
          () => left,
          () => {
            f.set(few, scalar.const(start));
            f.set(block, shorter(f, left, BLOCK));
            f.set(left, i32.sub(left, block));
            f.repeat(block, () => {
              f.set(few, scalar[instruction](few, scalar.load(at)));
              f.increment(at, p.step1);
            });
            total.take(few);
          },
        );
        f.increment(outer, p.step0);
      });
      f.store(p.out, total.result());
      f.increment(p.out, p.outLine);
      f.increment(p.x, p.xLine);
    });
  });
}

function divided(count: Value<'i32'>, by: number): Value<'i32'> {
  return i32.shrU(count, Math.log2(by));
}

/** The smaller of a count and a constant. */
function shorter(f: FunctionBuilder, count: Value<'i32'>, limit: number): Local<'i32'> {
  const local = f.i32(count);
  f.if(i32.gt(local, limit), () => f.set(local, i32.const(limit)));
  return local;
}

function defineColumns(assembler: Assembler, kind: FloatFold, float: FloatType): void {
  const { scalar, lanes, bytes, type } = float;
  const operands = { out: 'i32', x: 'i32', columns: 'i32' } as const;
  const loops = { n0: 'i32', step0: 'i32', n1: 'i32', step1: 'i32', spare: 'i32' } as const;
  assembler.function('columns', { ...operands, ...loops }, null, (f, p) => {
    const inBlocks = kind === 'sum' && type === 'f32';
    const [outer, at, left, block, taken, totals] = [f.i32(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32()];
    /** Takes strips of columns while they last. A strip is some vectors or a single scalar. */
    const strips = (columns: number, strip: Strip): void => {
      f.while(
        () => i32.ge(p.columns, columns),
        () => {
          strip.reset();
          f.set(taken, i32.const(0));
          f.set(totals, i32.const(0));
          f.set(outer, p.x);
          f.repeat(p.n0, () => {
            f.set(at, outer);
            f.set(left, p.n1);
            f.while(
              () => left,
              () => {
                f.set(block, shorter(f, left, BLOCK));
                f.set(left, i32.sub(left, block));
                f.set(taken, i32.add(taken, block));
                f.countdown(block, (fence) => {
                  strip.take(at, fence);
                  f.increment(at, p.step1);
                });
                if (inBlocks) {
                  f.if(i32.ge(taken, BLOCK), () => {
                    strip.spill(p.spare, totals);
                    f.set(totals, i32.const(1));
                    f.set(taken, i32.const(0));
                  });
                }
              },
            );
            f.increment(outer, p.step0);
          });
          strip.store(p.out);
          if (inBlocks) {
            f.if(totals, () => {
              strip.spill(p.spare, i32.const(1));
              strip.storeTotals(p.spare, p.out);
            });
          }
          f.increment(p.x, columns * bytes);
          f.increment(p.out, columns * bytes);
          f.increment(p.columns, -columns);
        },
      );
    };
    strips(PARTIALS * lanes.count, vectorStrip(f, kind, float, PARTIALS));
    strips(lanes.count, vectorStrip(f, kind, float, 1));
    const few = f.local(type);
    const { start, instruction } = folds[kind];
    strips(1, {
      reset: () => f.set(few, scalar.const(start)),
      take: (address) => f.set(few, scalar[instruction](few, scalar.load(address))),
      store: (address) => f.store(address, few),
      spill: (address, add) => {
        const double = f64.fromF32(few as Value<'f32'>);
        f.if(
          i32.eqz(add),
          () => f.store(address, double),
          () => f.store(address, f64.add(f64.load(address), double)),
        );
        f.set(few, scalar.const(start));
      },
      storeTotals: (address, out) => f.store(out, f32.fromF64(f64.load(address))),
    });
  });
}

/** The running results of neighbouring columns. */
interface Strip {
  reset(): void;
  /** Takes the elements of one row. */
  take(address: Value<'i32'>, fence: () => void): void;
  store(address: Value<'i32'>): void;
  /** Writes single-precision sums as doubles, or adds them to what is there, and starts over. */
  spill(address: Value<'i32'>, add: Value<'i32'>): void;
  storeTotals(address: Value<'i32'>, out: Value<'i32'>): void;
}

function vectorStrip(f: FunctionBuilder, kind: FloatFold, { lanes }: FloatType, vectors: number): Strip {
  const { start, instruction } = folds[kind];
  const sums = Array.from({ length: vectors }, () => f.local('v128'));
  const reset = (): void => {
    for (const sum of sums) f.set(sum, lanes.const(start));
  };
  const halves = (sum: Local<'v128'>): Value<'v128'>[] => [
    f64x2.promoteF32x4(sum),
    f64x2.promoteF32x4(lanes.shuffle(sum, sum, [2, 3, 2, 3])),
  ];
  return {
    reset,
    take: (address, fence) => {
      sums.forEach((sum, k) => {
        f.set(sum, lanes[instruction](sum, lanes.load(address, k * 16)));
        if (k === PARTIALS / 2 - 1) fence();
      });
    },
    store: (address) => sums.forEach((sum, k) => f.store(address, sum, k * 16)),
    spill: (address, add) => {
      const each = (value: (double: Value<'v128'>, offset: number) => Value<'v128'>) => () =>
        sums.forEach((sum, k) =>
          halves(sum).forEach((double, half) => {
            const offset = k * 32 + half * 16;
            f.store(address, value(double, offset), offset);
          }),
        );
      f.if(
        i32.eqz(add),
        each((double) => double),
        each((double, offset) => f64x2.add(f64x2.load(address, offset), double)),
      );
      reset();
    },
    storeTotals: (address, out) => {
      sums.forEach((_, k) => {
        const [low, high] = [0, 16].map((half) => demoted(address, k * 32 + half)) as [
          Value<'v128'>,
          Value<'v128'>,
        ];
        f.store(out, lanes.shuffle(low, high, [0, 1, 4, 5]), k * 16);
      });
    },
  };
}

function demoted(address: Operand<'i32'>, offset: number): Value<'v128'> {
  return f32x4.demoteF64x2(f64x2.load(address, offset));
}

/** A kernel of each fold and type, each in a module that is made when it is first asked for. */
function perFold<K>(
  define: (assembler: Assembler, kind: FloatFold, float: FloatType) => void,
): (kind: FloatFold, dtype: FloatDType) => K {
  const of = (kind: FloatFold): ((dtype: FloatDType) => K) =>
    perFloatType((float) => {
      const assembler = new Assembler();
      define(assembler, kind, float);
      return assembler.compile<K>();
    });
  const tables = { sum: of('sum'), prod: of('prod'), max: of('max'), min: of('min') };
  return (kind, dtype) => tables[kind](dtype);
}

/** The kernel that folds along rows. */
export const rowFold: (kind: FloatFold, dtype: FloatDType) => RowFold = perFold(defineRows);

/** The kernel that folds down columns. */
export const columnFold: (kind: FloatFold, dtype: FloatDType) => ColumnFold = perFold(defineColumns);
