import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import { uninitialised } from './freedom.ts';
import { gradients, perform, type Sample } from './replay.ts';
import { freedomOf, type Signature } from './signature.ts';
import { Decoder, dtypeOf, singleDifference, singleFormDifference, type Precision, type TensorJson } from './values.ts';

/** What a call gives, with the gradients of its leaves to first and second order where the record has them. */
interface Evaluation {
  readonly what: string;
  readonly tensors: readonly (Tensor | null)[];
  /** How much wider than for values the tolerance is. */
  readonly scale: number;
  /** How large the terms of sums are at least: those of gradients have factors of about 1, the gradients that come in. */
  readonly size: number;
}

function evaluate(sample: Sample, signature: Signature, precision: Precision): Evaluation[] {
  const decoder = new Decoder(precision);
  const outputs = perform(decoder, sample, signature);
  const evaluations: Evaluation[] = [{ what: 'output', tensors: outputs, scale: 1, size: 0.1 }];
  if (sample.grads === undefined || outputs.length !== sample.outputs.length) return evaluations;
  const first = gradients(outputs, sample.cotangents!, decoder.leaves, true, precision);
  evaluations.push({ what: 'grad', tensors: first, scale: 1, size: 1 });
  if (sample.gradgrads === undefined) return evaluations;
  const second = gradients(first, sample.directions!, decoder.leaves, false, precision);
  return [...evaluations, { what: 'second order, grad', tensors: second, scale: 10, size: 1 }];
}

/** The seed that calls start from which draw random numbers. */
const SEED = 42;

/**
 * The call in float32 against the same call in float64 with the same rounded numbers, which has been compared with PyTorch:
 * so that what is compared is the arithmetic in float32, not what rounding the inputs makes of the recorded results.
 */
export function replaySingle(sample: Sample, signature: Signature): string | undefined {
  for (const expected of sample.outputs) dtypeOf((expected as unknown as { $tensor: TensorJson }).$tensor.dtype);
  tg.manualSeed(SEED);
  const fresh = tg.getRngState();
  const single = evaluate(sample, signature, 'single');
  // Float32 and float64 draw different random numbers.
  const isDrawn = tg.getRngState().some((byte, i) => byte !== fresh[i]);
  const double = evaluate(sample, signature, 'rounded');
  const isForm = isDrawn || freedomOf(signature) === uninitialised;
  if (isForm) return single[0]!.tensors.map((output, i) => singleFormDifference(output!, double[0]!.tensors[i]!)).find(Boolean);
  for (const [k, { what, tensors, scale, size }] of double.entries()) {
    for (const [i, expected] of tensors.entries()) {
      const finding = singleDifference(single[k]!.tensors[i] ?? null, expected, scale, size);
      if (finding !== undefined) return `${what} ${i}: ${finding}`;
    }
  }
  return undefined;
}
