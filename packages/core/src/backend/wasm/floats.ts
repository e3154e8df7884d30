import type { DType } from '../../dtype.ts';
import { f32, f32x4, type FloatLanes, type FloatScalar, f64, f64x2 } from './assembler.ts';

/** A floating-point type as kernels see it, so that one description serves both. */
export interface FloatType {
  readonly dtype: FloatDType;
  /** Type of a scalar. */
  readonly type: 'f32' | 'f64';
  readonly bytes: 4 | 8;
  readonly scalar: FloatScalar<'f32' | 'f64'>;
  /** A vector of `lanes.count` scalars. */
  readonly lanes: FloatLanes<'f32' | 'f64'>;
}

/** The dtypes that have vector kernels. */
export type FloatDType = 'float32' | 'float64';

/** The floating-point types by dtype. */
export const floatTypes: Readonly<Record<FloatDType, FloatType>> = {
  float32: {
    dtype: 'float32',
    type: 'f32',
    bytes: 4,
    scalar: f32 as unknown as FloatScalar<'f32' | 'f64'>,
    lanes: f32x4 as unknown as FloatLanes<'f32' | 'f64'>,
  },
  float64: {
    dtype: 'float64',
    type: 'f64',
    bytes: 8,
    scalar: f64 as unknown as FloatScalar<'f32' | 'f64'>,
    lanes: f64x2 as unknown as FloatLanes<'f32' | 'f64'>,
  },
};

/** Whether a dtype has vector kernels. */
export function isFloatDType(dtype: DType): dtype is FloatDType {
  return dtype === 'float32' || dtype === 'float64';
}

/** Makes something for each floating-point type, when it is first asked for. */
export function perFloatType<K>(make: (float: FloatType) => K): (dtype: FloatDType) => K {
  let single: K | undefined;
  let double: K | undefined;
  return (dtype) =>
    dtype === 'float32' ? (single ??= make(floatTypes.float32)) : (double ??= make(floatTypes.float64));
}
