import type { CustomDefinition } from '../define/rules.ts';
import { dtypeInfo, isFloating, type DType } from '../dtype.ts';
import { DTypeError, GradError, LinAlgError, ShapeError } from '../errors.ts';
import { broadcastShapes, contiguousStrides, numel, shapeString, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** The matrices of a batch as float64 copies on the host, each in row-major order. */
export interface Matrices {
  readonly batch: Shape;
  readonly rows: number;
  readonly columns: number;
  /** One array for each matrix; they lie in `values` one after the other. */
  readonly all: readonly Float64Array[];
  readonly values: Float64Array;
}

/** Room for the matrices of a batch, zeros. */
export function newMatrices(batch: Shape, rows: number, columns: number, values?: Float64Array): Matrices {
  const size = rows * columns;
  const memory = values ?? new Float64Array(numel(batch) * size);
  const all = Array.from({ length: numel(batch) }, (_, i) => memory.subarray(i * size, (i + 1) * size));
  return { batch, rows, columns, all, values: memory };
}

/** Copies of the matrices in the last two dimensions of a tensor. */
export function matricesOf(x: Tensor): Matrices {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return newMatrices(x.shape.slice(0, -2), rows, columns, new Float64Array(x.toTypedArray()));
}

/** Host values as a constant in the dtype of x. */
export function constantLike(x: Tensor, values: Float64Array, shape: Shape): Tensor {
  return x.detach().newFrom(x.dtype === 'float64' ? values : new Float32Array(values), x.dtype, shape);
}

/** Whole numbers as a constant. */
export function integersLike(x: Tensor, values: Int32Array, shape: Shape): Tensor {
  return x.detach().newFrom(values, 'int32', shape);
}

/** The matrices as a constant in the dtype of x. */
export function tensorOf(x: Tensor, { batch, rows, columns, values }: Matrices): Tensor {
  return constantLike(x, values, [...batch, rows, columns]);
}

/** Refuses what is not a batch of matrices of floating-point numbers. */
export function requireMatrices(op: string, x: Tensor, name = 'input'): void {
  if (x.ndim < 2) {
    throw new ShapeError(
      `${op}: the ${name} must have at least 2 dimensions, matrices in the last two, got ${shapeString(x.shape)}`,
      { op, argument: name, shapes: [x.shape] },
    );
  }
  requireFloating(op, x, name);
}

/** Refuses integers and bools. */
export function requireFloating(op: string, x: Tensor, name = 'input'): void {
  if (isFloating(x.dtype)) return;
  throw new DTypeError(`${op}: the ${name} must be floating-point, got ${x.dtype}; use ${name}.to('float32')`, {
    op,
    argument: name,
    dtypes: [x.dtype],
  });
}

/** Refuses what is not a batch of square matrices of floating-point numbers. */
export function requireSquare(op: string, x: Tensor, name = 'input'): void {
  requireMatrices(op, x, name);
  if (x.shape.at(-1) === x.shape.at(-2)) return;
  throw new ShapeError(`${op}: the ${name} must be a batch of square matrices, got ${shapeString(x.shape)}`, {
    op,
    argument: name,
    shapes: [x.shape],
  });
}

/** Refuses two tensors of different dtypes. */
export function requireSameDType(op: string, x: Tensor, y: Tensor): void {
  if (x.dtype === y.dtype) return;
  throw new DTypeError(`${op}: both tensors must have the same dtype, got ${x.dtype} and ${y.dtype}; use to('${x.dtype}') on one`, {
    op,
    dtypes: [x.dtype, y.dtype],
  });
}

/** Two batches of matrices with their batch dimensions broadcast. */
export function broadcastBatches(op: string, x: Tensor, y: Tensor): [x: Tensor, y: Tensor] {
  const batch = broadcastShapes(op, x.shape.slice(0, -2), y.shape.slice(0, -2));
  const wide = (t: Tensor): Tensor => t.expand([...batch, ...t.shape.slice(-2)]);
  return [wide(x), wide(y)];
}

/** Which matrix of a batch, for messages; nothing where there is only one. */
export function batchPlace(batch: Shape, i: number): string {
  if (batch.length === 0) return '';
  const steps = contiguousStrides(batch);
  return ` (batch element ${shapeString(batch.map((n, d) => Math.floor(i / steps[d]!) % n))})`;
}

/** Refuses matrices with NaN or infinite elements, for which an iteration would not end. */
export function requireFinite(op: string, { batch, all }: Matrices): void {
  const bad = all.findIndex((a) => a.some((value) => !Number.isFinite(value)));
  if (bad < 0) return;
  throw new LinAlgError(
    `${op}: the input${batchPlace(batch, bad)} has elements that are not finite (NaN or infinite)`,
    { op, argument: 'input' },
  );
}

/** The error for an iteration that did not end. */
export function notConverged(op: string, batch: Shape, i: number): LinAlgError {
  return new LinAlgError(
    `${op}: the iteration did not converge for the input${batchPlace(batch, i)}; its elements may be too far apart in size`,
    { op },
  );
}

/** Throws where a status of a batch is not 0; the message is told of the first such status. */
export function checkStatus(op: string, status: Tensor, message: (status: number) => string): void {
  const values = status.toTypedArray();
  const bad = values.findIndex((value) => value !== 0);
  if (bad < 0) return;
  throw new LinAlgError(`${op}: the input${batchPlace(status.shape, bad)} ${message(values[bad]!)}`, { op, argument: 'input' });
}

/** The identity in the shape of a batch of matrices; not square ones have ones on their diagonal too. */
export function identityLike(x: Tensor, rows: number, columns: number = rows): Tensor {
  const one = new Float64Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) one[i * columns + i] = 1;
  return constantLike(x, one, [rows, columns]);
}

/** Whether an element stands on the diagonal, for n × n matrices. */
export function diagonalMask(x: Tensor, n: number): Tensor {
  return identityLike(x, n).to('bool');
}

/** Distance between 1 and the next number of the dtype. */
export function epsilonOf(dtype: DType): number {
  return dtypeInfo[dtype].bytes === 8 ? Number.EPSILON : 2 ** -23;
}

/** The rule of an operation without a derivative. */
export function noDerivative(op: string, advice: string): CustomDefinition<never>['vjp'] {
  return () => {
    throw new GradError(`${op}: the derivative is not implemented. ${advice}`, { op });
  };
}
