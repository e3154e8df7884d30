import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import { aligned } from './freedom.ts';
import { adapterOf, Drawn, freedomOf, type Signature } from './signature.ts';
import { Decoder, dtypeOf, type Json, type Precision, type TensorJson } from './values.ts';

/** A call of an operator, with what PyTorch computed. */
export interface Sample {
  input: Json;
  args: Json[];
  kwargs: Record<string, Json>;
  outputs: Json[];
  cotangents?: Json[];
  grads?: Json[];
  directions?: Json[];
  gradgrads?: Json[];
}

/** What a call gives here. */
export interface Evaluation {
  readonly outputs: readonly Tensor[];
  /** Whether random numbers decide the values. */
  readonly isDrawn: boolean;
  /** Gradients of the leaves to first and second order; none where the record has none. */
  readonly grads: readonly (Tensor | null)[] | null;
  readonly gradgrads: readonly (Tensor | null)[] | null;
}

/** Makes a call, without derivatives. */
export function perform(
  decoder: Decoder,
  { input, args, kwargs }: Pick<Sample, 'input' | 'args' | 'kwargs'>,
  signature: Signature,
): { outputs: Tensor[]; isDrawn: boolean } {
  const call = {
    input: decoder.value(input),
    args: args.map((arg) => decoder.value(arg)),
    kwargs: Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [key, decoder.value(value)])),
  };
  const result = adapterOf(signature)(call);
  const isDrawn = result instanceof Drawn;
  return { outputs: flatTensors(isDrawn ? result.result : result), isDrawn };
}

/** The tensors of a result in order: one, a list, or named parts. */
export function flatTensors(result: unknown): Tensor[] {
  if (result instanceof tg.Tensor) return [result];
  if (Array.isArray(result)) return result.flatMap(flatTensors);
  if (typeof result === 'number' || typeof result === 'boolean') return [tg.tensor(result)];
  if (typeof result === 'object' && result !== null) return Object.values(result).flatMap(flatTensors);
  return [];
}

/** Makes a call and differentiates it as often as the record does. */
export function evaluate(sample: Sample, signature: Signature, precision: Precision): Evaluation {
  const decoder = new Decoder(precision);
  for (const expected of sample.outputs) dtypeOf((expected as unknown as { $tensor: TensorJson }).$tensor.dtype);
  const { outputs: found, isDrawn } = perform(decoder, sample, signature);
  const { signs } = freedomOf(signature);
  const turned = signs !== undefined && found.length === sample.outputs.length;
  const outputs = turned ? aligned(found, new Decoder(precision).value(sample.outputs) as Tensor[], signs) : found;
  const plain = { outputs, isDrawn, grads: null, gradgrads: null };
  if (isDrawn || sample.grads === undefined || outputs.length !== sample.outputs.length) return plain;
  const grads = gradients(outputs, sample.cotangents!, decoder.leaves, true, precision);
  if (sample.gradgrads === undefined) return { ...plain, grads };
  return { ...plain, grads, gradgrads: gradients(grads, sample.directions!, decoder.leaves, false, precision) };
}

/** The gradients of Σ⟨outputs, cotangents⟩, where either may be missing. */
function gradients(
  outputs: readonly (Tensor | null)[],
  cotangents: readonly Json[],
  leaves: readonly Tensor[],
  createGraph: boolean,
  precision: Precision,
): (Tensor | null)[] {
  const decoder = new Decoder(precision);
  const pairs = outputs.flatMap((output, i) => {
    const cotangent = decoder.value(cotangents[i] ?? null) as Tensor | null;
    return output !== null && cotangent !== null && output.requiresGrad ? [[output, cotangent.to(output.dtype)] as const] : [];
  });
  if (pairs.length === 0) return leaves.map(() => null);
  return tg.grad(
    pairs.map(([output]) => output),
    leaves,
    {
      gradOutputs: pairs.map(([, cotangent]) => cotangent),
      createGraph,
      allowUnused: true,
    },
  );
}
