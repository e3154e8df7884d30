import { stack, tensor, Tensor, ValueError } from '@tapegrad/core';

/**
 * Joins samples into a batch: tensors and typed arrays are stacked; numbers become a tensor (int32 if all are whole, else the default
 * dtype); strings stay a list; arrays and plain objects are joined entry by entry.
 * @throws ValueError when the samples differ in structure
 * @source torch.utils.data.default_collate
 */
export function defaultCollate(samples: readonly unknown[]): unknown {
  const first = samples[0];
  const odd = samples.find((sample) => kindOf(sample) !== kindOf(first));
  if (odd !== undefined || samples.includes(undefined)) {
    throw new ValueError(`collate: samples must be of one kind, got ${kindOf(first)} and ${kindOf(odd)}; give a collateFn`);
  }
  if (ArrayBuffer.isView(first)) return stack(samples.map((sample) => tensor(sample as Float32Array)));
  if (first instanceof Tensor) return stack(samples as Tensor[]);
  if (typeof first === 'number') {
    const whole = samples.every((value) => Number.isInteger(value));
    return tensor(samples as number[], whole ? { dtype: 'int32' } : {});
  }
  if (typeof first === 'boolean') return tensor(samples as boolean[]);
  if (typeof first === 'string') return [...samples];
  if (Array.isArray(first)) {
    if (samples.some((sample) => (sample as unknown[]).length !== first.length)) {
      throw new ValueError('collate: each element in list of batch should be of equal size');
    }
    return first.map((_, i) => defaultCollate(samples.map((sample) => (sample as unknown[])[i])));
  }
  if (typeof first === 'object' && first !== null) {
    const keys = Object.keys(first);
    return Object.fromEntries(
      keys.map((key) => [key, defaultCollate(samples.map((sample) => (sample as Record<string, unknown>)[key]))]),
    );
  }
  throw new ValueError(`collate: samples must be tensors, numbers, strings, arrays or objects, got ${kindOf(first)}; give a collateFn`);
}

/** What messages call the kind of a sample. */
function kindOf(sample: unknown): string {
  if (sample === null) return 'null';
  if (Array.isArray(sample)) return 'array';
  return sample instanceof Tensor ? 'Tensor' : typeof sample;
}
