import { elementwise, type Binary } from '../define/elementwise.ts';
import { linear } from '../define/rules.ts';
import { empty, kernels } from '../dispatch.ts';
import { toDType, type DType, type DTypeName, type TypedArray } from '../dtype.ts';
import { ShapeError } from '../errors.ts';
import { denseLayout } from '../layout.ts';
import { checkOptions, none, refuseOptions, tensorNames, type NoOptions } from '../option-names.ts';
import { shapeString, type Shape, type Strides } from '../shape.ts';
import { storageOf } from '../storage.ts';
import { Tensor } from '../tensor.ts';

const cast = linear<DType>('to_copy', {
  forward: ([x], dtype) => {
    const out = empty(x!.shape, dtype);
    kernels().copy(out, x!);
    return out;
  },
  transpose: (g, _, { dtype }) => g.to(dtype),
});

/** The same values in another dtype; x itself if it has that dtype. @derivative the gradient, cast back @source torch.Tensor.to */
export function to(x: Tensor, dtype: DTypeName, options?: NoOptions): Tensor {
  refuseOptions('to', options);
  const wanted = toDType(dtype);
  return wanted === x.dtype ? x : cast([x], wanted);
}

/** x as float32. @source torch.Tensor.float */
export function float(x: Tensor): Tensor {
  return x.to('float32');
}

/** x as float64. @source torch.Tensor.double */
export function double(x: Tensor): Tensor {
  return x.to('float64');
}

/** x as int32; fractions are cut off. @source torch.Tensor.int */
export function int(x: Tensor): Tensor {
  return x.to('int32');
}

/** x as the integer type that indexes and labels have; 64-bit integers are held as int32. @source torch.Tensor.long */
export function long(x: Tensor): Tensor {
  return x.to('int32');
}

/** x as uint8; fractions are cut off. @source torch.Tensor.byte */
export function byte(x: Tensor): Tensor {
  return x.to('uint8');
}

/** Whether each element is not zero. @source torch.Tensor.bool */
export function bool(x: Tensor): Tensor {
  return x.to('bool');
}

/** x in the dtype of other. @source torch.Tensor.type_as */
export function typeAs(x: Tensor, other: Tensor): Tensor {
  return x.to(other.dtype);
}

const copyOf = linear<null>('clone', {
  forward: ([x]) => {
    const out = empty(x!.shape, x!.dtype);
    kernels().copy(out, x!);
    return out;
  },
  transpose: (g) => g,
});

/** A copy in memory of its own, dense in row-major order. @source torch.clone */
export function clone(x: Tensor, options?: NoOptions): Tensor {
  refuseOptions('clone', options);
  return copyOf([x], null);
}

/** x if it lies densely in row-major order, else a copy that does. @source torch.Tensor.contiguous */
export function contiguous(x: Tensor): Tensor {
  return x.isContiguous() ? x : x.clone();
}

/** The values of `source`, broadcast and cast to x: as `copy_`, the way to overwrite x. @source torch.Tensor.copy_ */
export const copy: Binary = elementwise('copy', (_, source) => source, { result: 'first' });

/** A constant with the values of a typed array, copied. @internal */
export function newFrom(_: Tensor, values: TypedArray, dtype: DType, shape: Shape): Tensor {
  const copy = new Uint8Array(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return new Tensor(storageOf(copy, dtype), 0, denseLayout(shape, dtype));
}

/** What the factories that take a shape from a tensor also take. */
export interface LikeOptions {
  /** Default: that of the tensor. */
  dtype?: DTypeName | undefined;
  /** Whether operations on the new tensor are recorded; default false. */
  requiresGrad?: boolean | undefined;
}

/** A tensor of the dtype of x, or another one, filled with a value; null leaves the elements as they are. */
function made(op: string, x: Tensor, shape: Shape, value: number | boolean | null, options: LikeOptions): Tensor {
  checkOptions(op, options, tensorNames);
  const out = empty(shape, options.dtype === undefined ? x.dtype : toDType(options.dtype));
  if (value !== null) out.fill_(value);
  return options.requiresGrad === true ? out.requiresGrad_() : out;
}

/** Zeros in the shape and dtype of x. @source torch.zeros_like */
export function zerosLike(x: Tensor, options: LikeOptions = none): Tensor {
  return made('zerosLike', x, x.shape, 0, options);
}

/** Ones in the shape and dtype of x. @source torch.ones_like */
export function onesLike(x: Tensor, options: LikeOptions = none): Tensor {
  return made('onesLike', x, x.shape, 1, options);
}

/** One value in the shape and dtype of x. @source torch.full_like */
export function fullLike(x: Tensor, value: number | boolean, options: LikeOptions = none): Tensor {
  return made('fullLike', x, x.shape, value, options);
}

/** A tensor of the same shape and dtype whose values are not set. @source torch.empty_like */
export function emptyLike(x: Tensor, options: LikeOptions = none): Tensor {
  return made('emptyLike', x, x.shape, null, options);
}

/** Sizes of a new tensor: one, or an array. */
type NewSize = number | readonly number[];

function checkedShape(op: string, size: NewSize): Shape {
  const shape = typeof size === 'number' ? [size] : [...size];
  if (shape.every((n) => Number.isInteger(n) && n >= 0)) return shape;
  throw new ShapeError(`${op}: sizes must be whole numbers of at least 0, got ${shapeString(shape)}`, { op });
}

/** A tensor of the dtype of x whose values are not set. @source torch.Tensor.new_empty */
export function newEmpty(x: Tensor, size: NewSize, options: LikeOptions = none): Tensor {
  return made('newEmpty', x, checkedShape('newEmpty', size), null, options);
}

/**
 * A tensor of the dtype of x with strides of its own, whose values are not set.
 * @throws ShapeError when there are not as many strides as sizes
 * @source torch.Tensor.new_empty_strided
 */
export function newEmptyStrided(x: Tensor, size: NewSize, stride: Strides, options: LikeOptions = none): Tensor {
  checkOptions('newEmptyStrided', options, tensorNames);
  const shape = checkedShape('newEmptyStrided', size);
  if (stride.length !== shape.length || stride.some((s) => !Number.isInteger(s) || s < 0)) {
    throw new ShapeError(`newEmptyStrided: ${shapeString(shape)} needs as many strides of at least 0, got ${shapeString(stride)}`, {
      op: 'newEmptyStrided',
      argument: 'stride',
    });
  }
  const extent = shape.includes(0) ? 0 : shape.reduce((last, n, d) => last + (n - 1) * stride[d]!, 1);
  const strided = newEmpty(x, [extent], { dtype: options.dtype }).asStrided(shape, stride).detach();
  return options.requiresGrad === true ? strided.requiresGrad_() : strided;
}

/** Zeros with the dtype of x. @source torch.Tensor.new_zeros */
export function newZeros(x: Tensor, size: NewSize, options: LikeOptions = none): Tensor {
  return made('newZeros', x, checkedShape('newZeros', size), 0, options);
}

/** Ones with the dtype of x. @source torch.Tensor.new_ones */
export function newOnes(x: Tensor, size: NewSize, options: LikeOptions = none): Tensor {
  return made('newOnes', x, checkedShape('newOnes', size), 1, options);
}

/** One value with the dtype of x. @source torch.Tensor.new_full */
export function newFull(x: Tensor, size: NewSize, value: number | boolean, options: LikeOptions = none): Tensor {
  return made('newFull', x, checkedShape('newFull', size), value, options);
}
