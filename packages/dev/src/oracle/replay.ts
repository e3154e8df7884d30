import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import { aligned, type Freedom } from './freedom.ts';
import { adapterOf, freedomOf, Refused, type PythonCall, type Signature } from './signature.ts';
import { Decoder, difference, dtypeOf, gradientDifference, Unsupported, type Json, type Precision, type TensorJson } from './values.ts';

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

/** One line of the operators' file. */
export interface Operator {
  op: string;
  variant?: string;
  differentiable: boolean;
  samples: Sample[];
  errors: { input: Json; args: Json[]; kwargs: Record<string, Json>; torchMessage?: string }[];
}

/** What became of one operator. */
export interface Verdict {
  name: string;
  /** How many calls with results there are, and how many of them went right. */
  samples: number;
  passed: number;
  /** One line per sample that went wrong. */
  failures: string[];
  /** How many calls PyTorch rejects, and how many of them are rejected here by an error of ours. */
  errors: number;
  rejected: number;
  /** One line per call that had to be rejected and was not. */
  accepted: string[];
  /** One line per sample or call to reject, or for the whole operator, that has no form here. */
  unsupported: string[];
}

/** Says what is wrong with a call, or nothing. */
export type Comparison = (sample: Sample, signature: Signature) => string | undefined;

/** PyTorch's name with its variant: `norm/fro`. */
export function nameOf({ op, variant }: { op: string; variant?: string }): string {
  return variant ? `${op}/${variant}` : op;
}

/** How many elements the results of a recorded call have. */
export function resultSize({ outputs }: Sample): number {
  return outputs.reduce<number>((total, output) => total + tensorJson(output).data.length, 0);
}

/** Runs every sample of an operator through our signature for it, and compares. */
export function replay(operator: Operator, signature: Signature | undefined, compare: Comparison = replaySample): Verdict {
  const { samples, errors } = operator;
  const counts = { samples: samples.length, passed: 0, errors: errors.length, rejected: 0 };
  const verdict: Verdict = { name: nameOf(operator), ...counts, failures: [], accepted: [], unsupported: [] };
  if (signature === undefined) {
    verdict.unsupported.push('no signature yet');
    return verdict;
  }
  const run = (label: string, findings: string[], body: () => string | undefined): number => {
    try {
      const finding = body();
      if (finding === undefined) return 1;
      findings.push(`${label}: ${finding}`);
    } catch (error) {
      if (error instanceof Unsupported) verdict.unsupported.push(`${label}: ${error.message}`);
      else findings.push(`${label}: threw ${String(error).split('\n')[0]}`);
    }
    return 0;
  };
  samples.forEach((sample, i) => {
    verdict.passed += run(`sample ${i}`, verdict.failures, () => compare(sample, signature));
  });
  errors.forEach((call, i) => {
    verdict.rejected += run(`error ${i}`, verdict.accepted, () => replayError(call, signature));
  });
  return verdict;
}

/** A recorded call in our values. */
export function callOf(decoder: Decoder, { input, args, kwargs }: Pick<Sample, 'input' | 'args' | 'kwargs'>): PythonCall {
  return {
    input: decoder.value(input),
    args: args.map((arg) => decoder.value(arg)),
    kwargs: Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [key, decoder.value(value)])),
  };
}

/** Makes a call. */
export function perform(decoder: Decoder, sample: Pick<Sample, 'input' | 'args' | 'kwargs'>, signature: Signature): Tensor[] {
  return flatTensors(adapterOf(signature)(callOf(decoder, sample)));
}

/** The tensors of a result in order: one, a list, or named parts. */
export function flatTensors(result: unknown): Tensor[] {
  if (result instanceof tg.Tensor) return [result];
  if (Array.isArray(result)) return result.flatMap(flatTensors);
  if (typeof result === 'number' || typeof result === 'boolean') return [tg.tensor(result)];
  if (typeof result === 'object' && result !== null) return Object.values(result).flatMap(flatTensors);
  return [];
}

/** Makes a recorded call and compares values and, as far as they are recorded, gradients of first and second order. */
export function replaySample(sample: Sample, signature: Signature): string | undefined {
  for (const expected of sample.outputs) dtypeOf(tensorJson(expected).dtype);
  const decoder = new Decoder();
  const results = perform(decoder, sample, signature);
  if (results.length !== sample.outputs.length) return `${results.length} results, expected ${sample.outputs.length}`;
  const { determined, signs } = freedomOf(signature);
  const outputs = signs === undefined ? results : aligned(results, decoder.value(sample.outputs) as Tensor[], signs);
  for (const [i, { what, expected, scale }] of expectations(sample.outputs, determined).entries()) {
    const finding = difference((determined?.(outputs) ?? outputs)[i]!, expected, scale);
    if (finding !== undefined) return `${what} ${i}: ${finding}`;
  }
  return sample.grads === undefined ? undefined : replayGradients(sample, decoder.leaves, outputs, freedomOf(signature));
}

interface Expectation {
  readonly what: string;
  readonly expected: TensorJson;
  readonly scale: number;
}

function tensorJson(json: Json): TensorJson {
  return (json as unknown as { $tensor: TensorJson }).$tensor;
}

/** What is compared: the outputs themselves, or what of them is determined, within the tolerance of decompositions. */
function expectations(outputs: Json[], determined: Freedom['determined']): Expectation[] {
  if (determined === undefined) {
    return outputs.map((output) => ({ what: 'output', expected: tensorJson(output), scale: 1 }));
  }
  const expected = determined(new Decoder().value(outputs) as Tensor[]);
  return expected.map((x) => {
    return { what: 'determined part', expected: { shape: [...x.shape], dtype: x.dtype, data: [...x.toTypedArray()] }, scale: 10 };
  });
}

function replayGradients(
  sample: Sample,
  leaves: readonly Tensor[],
  outputs: readonly Tensor[],
  { unwrittenGradients = [] }: Freedom,
): string | undefined {
  const first = gradients(outputs, sample.cotangents!, leaves, true);
  for (const [j, expected] of sample.grads!.entries()) {
    if (unwrittenGradients.includes(j)) continue;
    const finding = gradientDifference(first[j]!, expected);
    if (finding !== undefined) return `grad ${j}: ${finding}`;
  }
  if (sample.gradgrads === undefined) return undefined;
  const second = gradients(first, sample.directions!, leaves, false);
  for (const [j, expected] of sample.gradgrads.entries()) {
    const finding = gradientDifference(second[j]!, expected, 10);
    if (finding !== undefined) return `second order, grad ${j}: ${finding}`;
  }
  return undefined;
}

/** The gradients of Σ⟨outputs, cotangents⟩, where either may be missing. */
export function gradients(
  outputs: readonly (Tensor | null)[],
  cotangents: readonly Json[],
  leaves: readonly Tensor[],
  createGraph: boolean,
  precision: Precision = 'double',
): (Tensor | null)[] {
  const decoder = new Decoder(precision);
  const pairs = outputs.flatMap((output, i) => {
    const cotangent = decoder.value(cotangents[i] ?? null) as Tensor | null;
    return output !== null && cotangent !== null && output.requiresGrad ? [[output, cotangent] as const] : [];
  });
  if (pairs.length === 0) return leaves.map(() => null);
  return tg.grad(pairs.map(([output]) => output), leaves, {
    gradOutputs: pairs.map(([, cotangent]) => cotangent),
    createGraph,
    allowUnused: true,
  });
}

function replayError(call: Operator['errors'][number], signature: Signature): string | undefined {
  try {
    perform(new Decoder(), call, signature);
  } catch (error) {
    if (error instanceof tg.TapegradError || error instanceof Refused) return undefined;
    throw error;
  }
  // Python has operators for 2 * x; here a function takes the number first.
  if (typeof call.input === 'number') throw new Unsupported('a number before a tensor is allowed here');
  return `did not throw (PyTorch: ${call.torchMessage?.split('\n')[0] ?? ''})`;
}
