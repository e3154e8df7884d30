import { f32x4, f64x2, type FunctionBuilder, type Local, type Value } from './assembler.ts';

/** As many vectors as they have lanes, to be transposed in registers. */
export interface Square {
  readonly vectors: readonly Local<'v128'>[];
  /** The rows of the square whose columns the vectors are now. */
  transpose(): Value<'v128'>[];
}

/** Declares the variables of a square: 4 by 4 elements of 4 bytes, or 2 by 2 of 8. */
export function squareOf(f: FunctionBuilder, bytes: 4 | 8): Square {
  const vectors = Array.from({ length: 16 / bytes }, () => f.local('v128'));
  const [a, b, c, d] = vectors as [Local<'v128'>, Local<'v128'>, Local<'v128'>, Local<'v128'>];
  if (bytes === 8) {
    return { vectors, transpose: () => [f64x2.shuffle(a, b, [0, 2]), f64x2.shuffle(a, b, [1, 3])] };
  }
  const [p, q, r, s] = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')];
  return {
    vectors,
    transpose: () => {
      f.set(p, f32x4.shuffle(a, b, [0, 4, 1, 5]));
      f.set(q, f32x4.shuffle(c, d, [0, 4, 1, 5]));
      f.set(r, f32x4.shuffle(a, b, [2, 6, 3, 7]));
      f.set(s, f32x4.shuffle(c, d, [2, 6, 3, 7]));
      return [
        f32x4.shuffle(p, q, [0, 1, 4, 5]),
        f32x4.shuffle(p, q, [2, 3, 6, 7]),
        f32x4.shuffle(r, s, [0, 1, 4, 5]),
        f32x4.shuffle(r, s, [2, 3, 6, 7]),
      ];
    },
  };
}
