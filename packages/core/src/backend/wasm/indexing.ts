import { type DType, dtypeInfo } from '../../dtype.ts';
import { contiguousStrides, numel, withEntry } from '../../shape.ts';
import { addressOf } from '../../storage.ts';
import type { Strided } from '../types.ts';
import {
  Assembler,
  f32,
  f32x4,
  f64,
  f64x2,
  type FunctionBuilder,
  i32,
  i32x4,
  type Local,
} from './assembler.ts';
import { forOuter, walk } from './walk.ts';

/**
 * Moves elements, or dense pieces of `bytes`, in two nested loops. Index times `stride` is added to the
 * address of the indexed side. All steps in bytes.
 */
type MoveKernel = (
  indexed: number,
  plain: number,
  index: number,
  stride: number,
  bytes: number,
  n0: number,
  n1: number,
  indexed0: number,
  indexed1: number,
  plain0: number,
  plain1: number,
  index0: number,
  index1: number,
) => void;

interface IndexingKernels {
  readonly gather: MoveKernel;
  readonly scatter: MoveKernel;
  readonly gatherPieces: MoveKernel;
  readonly scatterPieces: MoveKernel;
  readonly add: MoveKernel;
  readonly addPieces: MoveKernel;
}

type Address = Local<'i32'>;
type Move = (f: FunctionBuilder, to: Address, from: Address, bytes: Address) => void;

/** Copies one element. */
const moveElement: Readonly<Record<1 | 4 | 8, Move>> = {
  1: (f, to, from) => f.store8(to, i32.load8U(from)),
  4: (f, to, from) => f.store(to, i32.load(from)),
  8: (f, to, from) => f.store(to, f64.load(from)),
};

/** Adds one element; bools are joined by or. */
const addElement: Readonly<Record<DType, Move>> = {
  float32: (f, to, from) => f.store(to, f32.add(f32.load(to), f32.load(from))),
  float64: (f, to, from) => f.store(to, f64.add(f64.load(to), f64.load(from))),
  int32: (f, to, from) => f.store(to, i32.add(i32.load(to), i32.load(from))),
  uint8: (f, to, from) => f.store8(to, i32.add(i32.load8U(to), i32.load8U(from))),
  bool: (f, to, from) => f.store8(to, i32.or(i32.load8U(to), i32.load8U(from))),
};

/** Whole vectors, for the dtypes that can be added so. */
const addVector: Partial<Record<DType, typeof f32x4.add>> = {
  float32: f32x4.add,
  float64: f64x2.add,
  int32: i32x4.add,
};

function build(dtype: DType): IndexingKernels {
  const assembler = new Assembler();
  const element = moveElement[dtypeInfo[dtype].bytes];
  const piece: Move = (f, to, from, bytes) => {
    f.if(
      i32.gt(bytes, 1024),
      () => f.copyMemory(to, from, bytes),
      () => eachPart(f, dtype, to, from, bytes, element, (source) => f32x4.load(source)),
    );
  };
  const add = addElement[dtype];
  const addPiece: Move = (f, to, from, bytes) => {
    const vector = addVector[dtype];
    const whole =
      vector && ((source: Address, target: Address) => vector(f32x4.load(target), f32x4.load(source)));
    eachPart(f, dtype, to, from, bytes, add, whole);
  };
  defineMove(assembler, 'gather', 'gather', element);
  defineMove(assembler, 'gatherPieces', 'gather', piece);
  defineMove(assembler, 'scatter', 'scatter', element);
  defineMove(assembler, 'scatterPieces', 'scatter', piece);
  defineMove(assembler, 'add', 'scatter', add);
  defineMove(assembler, 'addPieces', 'scatter', addPiece);
  return assembler.compile<IndexingKernels>();
}

/** Goes through a piece by vectors as long as they fit, then by elements. */
function eachPart(
  f: FunctionBuilder,
  dtype: DType,
  to: Address,
  from: Address,
  bytes: Address,
  element: Move,
  whole?: (source: Address, target: Address) => ReturnType<typeof f32x4.load>,
): void {
  const [target, source, left] = [f.i32(to), f.i32(from), f.i32(bytes)];
  const parts = (size: number, body: () => void): void => {
    f.while(
      () => i32.ge(left, size),
      () => {
        body();
        f.increment(target, size);
        f.increment(source, size);
        f.increment(left, -size);
      },
    );
  };
  if (whole !== undefined) parts(16, () => f.store(target, whole(source, target)));
  parts(dtypeInfo[dtype].bytes, () => element(f, target, source, bytes));
}

function defineMove(assembler: Assembler, name: string, direction: 'gather' | 'scatter', move: Move): void {
  const operands = { indexed: 'i32', plain: 'i32', index: 'i32', stride: 'i32', bytes: 'i32' } as const;
  const sizes = { n0: 'i32', n1: 'i32', indexed0: 'i32', indexed1: 'i32' } as const;
  const steps = { plain0: 'i32', plain1: 'i32', index0: 'i32', index1: 'i32' } as const;
  assembler.function(name, { ...operands, ...sizes, ...steps }, null, (f, p) => {
    const [base, plain, index, found] = [f.i32(), f.i32(), f.i32(), f.i32()];
    f.repeat(p.n0, () => {
      f.set(base, p.indexed);
      f.set(plain, p.plain);
      f.set(index, p.index);
      f.repeat(p.n1, () => {
        f.set(found, i32.add(base, i32.mul(i32.load(index), p.stride)));
        if (direction === 'gather') move(f, plain, found, p.bytes);
        else move(f, found, plain, p.bytes);
        f.increment(base, p.indexed1);
        f.increment(plain, p.plain1);
        f.increment(index, p.index1);
      });
      f.increment(p.indexed, p.indexed0);
      f.increment(p.plain, p.plain0);
      f.increment(p.index, p.index0);
    });
  });
}

const built: Partial<Record<DType, IndexingKernels>> = {};

/** out[i…] = x[…, index[i…], …] along dim. */
export function gather(out: Strided, x: Strided, index: Strided, dim: number): void {
  move('gather', x, out, index, dim);
}

/** out[…, index[i…], …] (+)= src[i…] along dim. */
export function scatter(out: Strided, index: Strided, src: Strided, dim: number, accumulate: boolean): void {
  move(accumulate ? 'add' : 'scatter', out, src, index, dim);
}

function move(
  kind: 'gather' | 'scatter' | 'add',
  indexed: Strided,
  plain: Strided,
  index: Strided,
  dim: number,
): void {
  if (numel(index.shape) === 0) return;
  const { dtype } = plain;
  const { bytes } = dtypeInfo[dtype];
  // Along dim the index alone says where; the first strides keep the loops in row-major order.
  const indexedStrides = withEntry(indexed.strides, dim, 0);
  const order = contiguousStrides(index.shape);
  const nest = walk(index.shape, [order, indexedStrides, plain.strides, index.strides], 3);
  const { sizes, strides } = nest;
  const last = sizes.length - 1;
  const isPiece = strides[1]![last] === 1 && strides[2]![last] === 1 && strides[3]![last] === 0;
  const inner = isPiece ? last - 1 : last;
  const kernels = (built[dtype] ??= build(dtype));
  const kernel = isPiece ? kernels[`${kind}Pieces`] : kernels[kind];
  const indexedAt = addressOf(indexed.storage) + indexed.offset * bytes;
  const plainAt = addressOf(plain.storage) + plain.offset * bytes;
  const indexAt = addressOf(index.storage) + index.offset * 4;
  forOuter(nest, inner - 1, ([, indexedOffset = 0, plainOffset = 0, indexOffset = 0]) => {
    kernel(
      indexedAt + indexedOffset * bytes,
      plainAt + plainOffset * bytes,
      indexAt + indexOffset * 4,
      (indexed.strides[dim] ?? 0) * bytes,
      isPiece ? sizes[last]! * bytes : bytes,
      sizes[inner - 1]!,
      sizes[inner]!,
      strides[1]![inner - 1]! * bytes,
      strides[1]![inner]! * bytes,
      strides[2]![inner - 1]! * bytes,
      strides[2]![inner]! * bytes,
      strides[3]![inner - 1]! * 4,
      strides[3]![inner]! * 4,
    );
  });
}
