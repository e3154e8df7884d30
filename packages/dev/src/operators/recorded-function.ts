import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import { callOf, flatTensors, type Sample } from '../oracle/replay.ts';
import { adapterOf, freedomOf, type PythonCall, type Signature } from '../oracle/signature.ts';
import { Decoder, type Precision } from '../oracle/values.ts';

/** A recorded call as a function of some of its tensors. */
export interface RecordedFunction {
  /** The values that the tensors have in the record, detached. */
  readonly at: readonly Tensor[];
  /** The results of the call with other tensors in their places. */
  call(...tensors: Tensor[]): Tensor[];
}

/** The seed that calls start from which draw random numbers. */
const SEED = 42;

/** A call as a function of its leaves, giving the results that can be differentiated. */
export function functionOfLeaves(sample: Sample, signature: Signature, precision: Precision): RecordedFunction {
  const decoder = new Decoder(precision);
  const call = functionOf(callOf(decoder, sample), decoder.leaves, signature);
  const { symmetric } = freedomOf(signature);
  const prepared = (x: Tensor): Tensor => (symmetric === true ? x.add(x.mT).div(2) : x);
  return { at: detached(decoder.leaves), call: (...tensors) => call(tensors.map(prepared)).filter((y) => y.requiresGrad) };
}

/** A call as a function of its first tensor, giving all results. */
export function functionOfFirst(sample: Sample, signature: Signature, precision: Precision): RecordedFunction {
  const recorded = callOf(new Decoder(precision), sample);
  const places = tensorsIn([recorded.input, ...recorded.args]).slice(0, 1);
  const call = functionOf(recorded, places, signature);
  return { at: detached(places), call: (...tensors) => [...call(tensors)] };
}

function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof tg.Tensor) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsIn) : [];
}

const detached = (tensors: readonly Tensor[]): Tensor[] => tensors.map((x) => x.detach());

/** What of the results of a call is determined, with other tensors at some places. */
function functionOf(call: PythonCall, places: readonly Tensor[], signature: Signature): (tensors: readonly Tensor[]) => readonly Tensor[] {
  const { determined } = freedomOf(signature);
  return (tensors) => {
    const replacements = new Map(places.map((x, i) => [x, tensors[i]!]));
    tg.manualSeed(SEED);
    const results = flatTensors(adapterOf(signature)(replaced(call, replacements) as PythonCall));
    return determined?.(results) ?? results;
  };
}

function replaced(value: unknown, replacements: ReadonlyMap<Tensor, Tensor>): unknown {
  // What is no leaf may be a running statistic, which the call changes: each call gets its own.
  if (value instanceof tg.Tensor) return replacements.get(value) ?? value.clone();
  if (Array.isArray(value)) return value.map((item) => replaced(item, replacements));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, replacements)]));
}

/** Normally distributed numbers of the form of each tensor: the same for float32 and float64. */
export function directionsLike(tensors: readonly Tensor[], seed: number): Tensor[] {
  tg.manualSeed(seed);
  return tensors.map((x) => tg.randn(x.shape, { dtype: 'float32' }).to(x.dtype));
}

/** ⟨a, b⟩ of lists of tensors as a tensor; of an empty list 0. */
export function innerProduct(a: readonly Tensor[], b: readonly Tensor[]): Tensor {
  return a.reduce((total, x, i) => total.add(x.mul(b[i]!).sum()), tg.tensor(0, { dtype: a[0]?.dtype ?? 'float64' }));
}
