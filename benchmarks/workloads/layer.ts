import type { InputSpec } from '../inputs.ts';

/** Weight [out, in] and bias of a linear layer, within ±1/√in. */
export function linearLayer(
  weight: string,
  bias: string,
  inputs: number,
  outputs: number,
): Record<string, InputSpec> {
  const bound = 1 / Math.sqrt(inputs);
  return {
    [weight]: { shape: [outputs, inputs], between: [-bound, bound] },
    [bias]: { shape: [outputs], between: [-bound, bound] },
  };
}

/** Weight [out, in, kernel, kernel] and bias of a convolution, within ±1/√fan-in. */
export function convLayer(
  weight: string,
  bias: string,
  inputs: number,
  outputs: number,
  kernel: number,
): Record<string, InputSpec> {
  const bound = 1 / (Math.sqrt(inputs) * kernel);
  return {
    [weight]: { shape: [outputs, inputs, kernel, kernel], between: [-bound, bound] },
    [bias]: { shape: [outputs], between: [-bound, bound] },
  };
}
