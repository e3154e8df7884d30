import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import { evaluate, perform, type Evaluation, type Sample } from './evaluation.ts';
import { freedomOf, type Signature } from './signature.ts';
import {
  Decoder,
  difference,
  formDifference,
  gradientDifference,
  singleDifference,
  Unsupported,
  type Json,
  type TensorJson,
} from './values.ts';

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

/** What the floating-point tensors of the samples are replayed in. */
export type ReplayDType = 'float64' | 'float32';

/** PyTorch's name with its variant: `norm/fro`. */
export function nameOf({ op, variant }: { op: string; variant?: string }): string {
  return variant ? `${op}/${variant}` : op;
}

/** A verdict on nothing yet. */
export function emptyVerdict(name: string, samples: number, errors = 0): Verdict {
  return { name, samples, passed: 0, failures: [], errors, rejected: 0, accepted: [], unsupported: [] };
}

/** Runs every sample of an operator through our signature for it, and compares. */
export function replay(operator: Operator, signature: Signature | undefined, dtype: ReplayDType = 'float64'): Verdict {
  const verdict = emptyVerdict(nameOf(operator), operator.samples.length, operator.errors.length);
  if (signature === undefined) {
    verdict.unsupported.push('no signature yet');
    return verdict;
  }
  const run = (label: string, findings: string[], body: () => string | undefined): boolean => {
    try {
      const finding = body();
      if (finding !== undefined) findings.push(`${label}: ${finding}`);
      return finding === undefined;
    } catch (error) {
      if (error instanceof Unsupported) verdict.unsupported.push(`${label}: ${error.message}`);
      else findings.push(`${label}: threw ${String(error).split('\n')[0]}`);
      return false;
    }
  };
  const compare = dtype === 'float64' ? replaySample : replaySingle;
  operator.samples.forEach((sample, i) => {
    if (run(`sample ${i}`, verdict.failures, () => compare(sample, signature))) verdict.passed++;
  });
  operator.errors.forEach((call, i) => {
    if (run(`error ${i}`, verdict.accepted, () => replayError(call, signature))) verdict.rejected++;
  });
  return verdict;
}

function replaySample(sample: Sample, signature: Signature): string | undefined {
  const { outputs, isDrawn, grads, gradgrads } = evaluate(sample, signature, 'double');
  if (outputs.length !== sample.outputs.length) return `${outputs.length} results, expected ${sample.outputs.length}`;
  const { determined, unwrittenGradients = [] } = freedomOf(signature);
  const compare = isDrawn ? formDifference : difference;
  const [actual, expected, what, scale] =
    determined === undefined
      ? ([outputs, sample.outputs.map(tensorOf), 'output', 1] as const)
      : ([determined(outputs), determined(new Decoder().value(sample.outputs) as Tensor[]).map(recorded), 'determined part', 10] as const);
  return (
    firstFinding(expected, (x, i) => [`${what} ${i}`, compare(actual[i]!, x, scale)]) ??
    firstFinding(grads && sample.grads!, (x, j) => [
      `grad ${j}`,
      unwrittenGradients.includes(j) ? undefined : gradientDifference(grads![j]!, x),
    ]) ??
    firstFinding(gradgrads && sample.gradgrads!, (x, j) => [
      `second order, grad ${j}`,
      gradientDifference(gradgrads![j]!, x, 10),
    ])
  );
}

function tensorOf(value: Json): TensorJson {
  return (value as unknown as { $tensor: TensorJson }).$tensor;
}

/** A tensor as the record writes it. */
function recorded(x: Tensor): TensorJson {
  return { shape: [...x.shape], dtype: x.dtype, data: [...x.toTypedArray()] };
}

/**
 * The call in float32 against the same call in float64 with the same rounded numbers, which has been compared with PyTorch:
 * so that what is compared is the arithmetic in float32, not what rounding the inputs makes of the recorded results.
 */
function replaySingle(sample: Sample, signature: Signature): string | undefined {
  const [single, double]: readonly Evaluation[] = [evaluate(sample, signature, 'single'), evaluate(sample, signature, 'rounded')];
  const compareAll = (
    what: string,
    actual: readonly (Tensor | null)[] | null,
    wanted: readonly (Tensor | null)[] | null,
    scale: number,
  ): string | undefined =>
    firstFinding(wanted, (expected, i) => [`${what} ${i}`, singleDifference(actual?.[i] ?? null, expected, scale)]);
  if (single!.isDrawn) return undefined;
  const { determined = (outputs) => outputs } = freedomOf(signature);
  return (
    compareAll('output', determined(single!.outputs), determined(double!.outputs), 1) ??
    compareAll('grad', single!.grads, double!.grads, 1) ??
    compareAll('second order, grad', single!.gradgrads, double!.gradgrads, 10)
  );
}

function firstFinding<T>(
  items: readonly T[] | null,
  find: (item: T, i: number) => [what: string, finding: string | undefined],
): string | undefined {
  for (const [i, item] of (items ?? []).entries()) {
    const [what, finding] = find(item, i);
    if (finding !== undefined) return `${what}: ${finding}`;
  }
  return undefined;
}

function replayError(call: Operator['errors'][number], signature: Signature): string | undefined {
  try {
    perform(new Decoder(), call, signature);
  } catch (error) {
    if (error instanceof tg.TapegradError) return undefined;
    throw error;
  }
  // Python has operators for 2 * x; here a function takes the number first.
  if (typeof call.input === 'number') throw new Unsupported('a number before a tensor is allowed here');
  return `did not throw (PyTorch: ${call.torchMessage?.split('\n')[0] ?? ''})`;
}
