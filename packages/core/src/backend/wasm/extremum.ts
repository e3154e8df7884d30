import { type DType, dtypeInfo } from '../../dtype.ts';
import { contiguousStrides, numel } from '../../shape.ts';
import { addressOf, freeStorage, Storage } from '../../storage.ts';
import type { Strided } from '../types.ts';
import { Assembler, f32, f64, i32, type Value } from './assembler.ts';
import { copy } from './copy.ts';
import { forLines } from './lines.ts';

type LineKernel = (
  values: number,
  indices: number,
  x: number,
  lines: number,
  valueLine: number,
  indexLine: number,
  xLine: number,
  count: number,
  step: number,
) => void;

interface ExtremumKernels {
  readonly max: LineKernel;
  readonly min: LineKernel;
}

type ScalarDType = 'float32' | 'float64' | 'int32';
type Compare = (a: Value<never>, b: Value<never>) => Value<'i32'>;

/** What is to know of the scalars: their type, how they are read, and compared. */
const scalars: Readonly<
  Record<
    ScalarDType,
    {
      type: 'f32' | 'f64' | 'i32';
      load: (address: Value<'i32'>) => Value;
      gt: Compare;
      lt: Compare;
      ne: Compare;
    }
  >
> = {
  float32: { type: 'f32', load: f32.load, gt: f32.gt, lt: f32.lt, ne: f32.ne },
  float64: { type: 'f64', load: f64.load, gt: f64.gt, lt: f64.lt, ne: f64.ne },
  int32: { type: 'i32', load: i32.load, gt: i32.gt, lt: i32.lt, ne: i32.ne },
};

function build(dtype: ScalarDType): ExtremumKernels {
  const assembler = new Assembler();
  const { type, load, gt, lt, ne } = scalars[dtype];
  const operands = { values: 'i32', indices: 'i32', x: 'i32', lines: 'i32' } as const;
  const steps = { valueLine: 'i32', indexLine: 'i32', xLine: 'i32', count: 'i32', step: 'i32' } as const;
  for (const [name, better] of [
    ['max', gt],
    ['min', lt],
  ] as const) {
    assembler.function(name, { ...operands, ...steps }, null, (f, p) => {
      const [at, i, index] = [f.i32(), f.i32(), f.i32()];
      const best = f.local(type);
      const value = f.local(type);
      f.repeat(p.lines, () => {
        f.set(at, p.x);
        f.set(best, load(at) as Value<typeof type>);
        f.set(index, i32.const(0));
        f.block((out) => {
          f.for(i, 0, p.count, 1, () => {
            f.set(value, load(at) as Value<typeof type>);
            f.if(better(value as never, best as never), () => {
              f.set(best, value);
              f.set(index, i);
            });
            if (dtype !== 'int32') {
              f.if(ne(value as never, value as never), () => {
                f.set(best, value);
                f.set(index, i);
                f.branch(out);
              });
            }
            f.increment(at, p.step);
          });
        });
        f.store(p.values, best);
        f.store(p.indices, index);
        f.increment(p.values, p.valueLine);
        f.increment(p.indices, p.indexLine);
        f.increment(p.x, p.xLine);
      });
    });
  }
  return assembler.compile<ExtremumKernels>();
}

const built: Partial<Record<ScalarDType, ExtremumKernels>> = {};

/** Along dim: the extreme value and the index of its first occurrence; NaN wins. */
export function extremum(
  kind: 'max' | 'min',
  values: Strided,
  indices: Strided,
  x: Strided,
  dim: number,
): void {
  if (x.dtype === 'uint8' || x.dtype === 'bool') {
    const [wideX, wideValues] = [temporary('int32', x), temporary('int32', values)];
    copy(wideX, x);
    extremum(kind, wideValues, indices, wideX, dim);
    copy(values, wideValues);
    freeStorage(wideX.storage);
    freeStorage(wideValues.storage);
    return;
  }
  if (numel(values.shape) === 0) return;
  const kernels = (built[x.dtype] ??= build(x.dtype));
  const { bytes } = dtypeInfo[x.dtype];
  const [valuesAt, indicesAt, xAt] = [
    addressOf(values.storage),
    addressOf(indices.storage),
    addressOf(x.storage),
  ];
  const size = x.shape[dim] ?? 1;
  const step = (x.strides[dim] ?? 0) * bytes;
  forLines(
    dim,
    [x, values, indices],
    ([from = 0, to = 0, toIndex = 0], lines, [xLine = 0, line = 0, indexLine = 0]) => {
      kernels[kind](
        valuesAt + to * bytes,
        indicesAt + toIndex * 4,
        xAt + from * bytes,
        lines,
        line * bytes,
        indexLine * 4,
        xLine * bytes,
        size,
        step,
      );
    },
  );
}

/** A dense operand of another's shape. */
function temporary(dtype: DType, { shape }: Strided): Strided {
  const storage = new Storage(numel(shape) * dtypeInfo[dtype].bytes);
  return { storage, offset: 0, shape, strides: contiguousStrides(shape), dtype };
}
