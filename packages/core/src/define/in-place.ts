import type { Tensor } from '../tensor.ts';

type Operation = (x: Tensor, ...rest: never[]) => Tensor;

/** An operation that also exists with its first argument as the place of the result; its method ends in an underscore. */
export type Writable<F extends Operation> = F & { readonly inPlace: F };

/** Gives an operation whose result has the shape and dtype of its first argument an in-place form: compute, then copy. */
export function writable<F extends Operation>(operation: F): Writable<F> {
  const inPlace = (x: Tensor, ...rest: never[]): Tensor => x.copy_(operation(x, ...rest));
  return Object.assign(operation, { inPlace }) as unknown as Writable<F>;
}
