import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import { replaySample, type Sample } from '../oracle/replay.ts';
import { replaySingle } from '../oracle/single.ts';
import type { Signature } from '../oracle/signature.ts';
import { singleDifference, type Precision } from '../oracle/values.ts';
import { directionsLike, functionOfFirst, functionOfLeaves, innerProduct, type RecordedFunction } from './recorded-function.ts';

/** How an aspect of an operator was found right, or that the operator does not have it, or what is wrong. */
export interface Outcome {
  readonly kind: 'recorded' | 'measured' | 'absent' | 'open' | 'wrong';
  readonly reason?: string;
}

/** The dtypes in which calls are made. */
export type FloatingDType = 'float64' | 'float32';

/** A recorded call to be looked at. */
export interface Question {
  readonly sample: Sample;
  readonly signature: Signature;
  readonly dtype: FloatingDType;
  /** Whether all that is on record of it compares, so that parts need not be looked at. */
  readonly isRight: boolean;
}

/** One way in which an operator can be right, from a recorded call. */
export type Aspect = (question: Question) => Outcome;

/** Looks at a call as a whole. */
export function questionOf(sample: Sample, signature: Signature, dtype: FloatingDType): Question {
  try {
    return { sample, signature, dtype, isRight: findingOf(sample, signature, dtype) === undefined };
  } catch {
    // Whatever part of it throws does so again where that part is asked for.
    return { sample, signature, dtype, isRight: false };
  }
}

function findingOf(sample: Sample, signature: Signature, dtype: FloatingDType): string | undefined {
  return (dtype === 'float64' ? replaySample : replaySingle)(sample, signature);
}

const recorded: Outcome = { kind: 'recorded' };
const measured: Outcome = { kind: 'measured' };
const precisions: Readonly<Record<FloatingDType, Precision>> = { float64: 'double', float32: 'single' };

/** The part of a record up to a derivative of some order, compared. */
function compared({ sample: { grads, gradgrads, ...sample }, signature, dtype, isRight }: Question, order: 0 | 1 | 2): Outcome {
  if (isRight) return recorded;
  const part = { ...sample, ...(order > 0 && grads ? { grads } : {}), ...(order > 1 && gradgrads ? { gradgrads } : {}) };
  const finding = findingOf(part, signature, dtype);
  return finding === undefined ? recorded : { kind: 'wrong', reason: finding };
}

/** Values are PyTorch's. */
const value: Aspect = (question) => compared(question, 0);

/** First derivatives are PyTorch's, or where it has none on record those that differences of values show. */
const gradient: Aspect = (question) => (question.sample.grads ? compared(question, 1) : measuredGradient(question, 1));

/** The same one order higher. */
const secondGradient: Aspect = (question) => (question.sample.gradgrads ? compared(question, 2) : measuredGradient(question, 2));

/** ∇ⁿ⁻¹ of Σ⟨results, u⟩, projected on a direction at each order, as a function of the leaves that gives one number. */
function projected({ call }: RecordedFunction, order: 1 | 2): (leaves: Tensor[]) => Tensor {
  const first = (leaves: Tensor[]): Tensor => {
    const outputs = call(...leaves);
    return innerProduct(outputs, directionsLike(outputs, 1));
  };
  if (order === 1) return first;
  return (leaves) => {
    const slopes = gradientsOf(first(leaves), leaves);
    return innerProduct(slopes, directionsLike(slopes, 2));
  };
}

function gradientsOf(y: Tensor, leaves: Tensor[]): Tensor[] {
  if (!y.requiresGrad) return leaves.map((x) => x.detach().zerosLike());
  return tg.grad(y, leaves, { createGraph: true, materializeGrads: true }) as Tensor[];
}

const leavesAt = (at: readonly Tensor[]): Tensor[] => at.map((x) => x.detach().requiresGrad_());

function hasGradient({ at, call }: RecordedFunction): boolean {
  return at.length > 0 && call(...leavesAt(at)).length > 0;
}

function measuredGradient({ sample, signature, dtype }: Question, order: 1 | 2): Outcome {
  const fn = functionOfLeaves(sample, signature, precisions[dtype]);
  if (!hasGradient(fn)) return { kind: 'absent' };
  const project = projected(fn, order);
  const leaves = leavesAt(fn.at);
  const slopes = gradientsOf(project(leaves), leaves);
  if (dtype === 'float32') {
    const exact = functionOfLeaves(sample, signature, 'rounded');
    const exactLeaves = leavesAt(exact.at);
    const expected = gradientsOf(projected(exact, order)(exactLeaves), exactLeaves);
    const finding = slopes.map((slope, i) => singleDifference(slope, expected[i]!, 10, 1)).find(Boolean);
    return finding === undefined ? measured : { kind: 'wrong', reason: finding };
  }
  const along = directionsLike(fn.at, 3);
  const shifted = (h: number): number => project(leavesAt(fn.at.map((x, i) => x.add(along[i]!.mul(h))))).item();
  const difference = (shifted(STEP) - shifted(-STEP)) / (2 * STEP);
  return agree(innerProduct(slopes, along).item(), difference, 1e-6) ?? measured;
}

/** Half the distance over which differences are taken. */
const STEP = 1e-5;

/** What is wrong with a number beside the expected one, in units of the larger of both and 1. */
function agree(actual: number, expected: number, tolerance: number): Outcome | undefined {
  if (Object.is(actual, expected)) return undefined;
  if (Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(actual), Math.abs(expected))) return undefined;
  return { kind: 'wrong', reason: `${actual} instead of ${expected}` };
}

/** ⟨u, Jv⟩ = ⟨Jᵀu, v⟩ for random u and v, where values are finite. */
const forward: Aspect = ({ sample, signature, dtype }) => {
  const fn = functionOfLeaves(sample, signature, precisions[dtype]);
  if (!hasGradient(fn)) return { kind: 'absent' };
  const along = directionsLike(fn.at, 4);
  const [outputs, pushed] = tg.func.jvp((...x: Tensor[]) => fn.call(...x), [...fn.at], along);
  const [, pull] = tg.func.vjp((...x: Tensor[]) => fn.call(...x), ...fn.at);
  const isDouble = [...outputs, ...along].every((x) => x.dtype === 'float64');
  const projection = (kept: readonly Tensor[]): Outcome | undefined => {
    const cotangents = directionsLike(outputs, 5).map((u, i) => tg.where(kept[i]!, u, 0));
    const left = innerProduct(cotangents, pushed.map((y, i) => tg.where(kept[i]!, y, 0)));
    return agree(left.item(), innerProduct(pull(...cotangents), along).item(), isDouble ? 1e-9 : 1e-4);
  };
  const finding = projection(outputs.map((y) => y.onesLike({ dtype: 'bool' })));
  if (finding === undefined) return measured;
  // The mean of nothing is NaN, its tangent too, and its gradient 0: what is not finite shows nothing.
  const isFinite = outputs.map((y) => y.isfinite());
  const isWhole = isFinite.every((x) => x.all().item() === 1);
  return (isWhole ? finding : projection(isFinite)) ?? measured;
};

/** Mapped over slices that lie apart in memory, the call gives what it gives for each of them. */
const mapped: Aspect = ({ sample, signature, dtype }) => {
  const { at, call } = functionOfFirst(sample, signature, precisions[dtype]);
  const [x] = at;
  if (x === undefined) return { kind: 'absent', reason: 'no tensor to map over' };
  // Its elements in reverse order are in every domain that its elements are in, and a matrix stays symmetric.
  const slices = [x, x.flip(x.shape.map((_, d) => d))];
  const each = slices.map((slice) => call(slice.clone()));
  if (each[0]!.length === 0) return { kind: 'absent', reason: 'no tensor among the results' };
  if (each[0]!.some((y, i) => y.shape.join() !== each[1]![i]?.shape.join())) {
    return { kind: 'absent', reason: 'the shape of the result depends on values' };
  }
  const together = tg.func.vmap(call, { inDims: -1, outDims: 0, randomness: 'same' })(tg.stack(slices, -1));
  const finding = together.flatMap((y, i) => differences(y, tg.stack(each.map((results) => results[i]!)))).find(Boolean);
  return finding ?? measured;
};

/** What is wrong with each element; sums over slices that lie apart may be added up in another order. */
function differences(actual: Tensor, expected: Tensor): (Outcome | undefined)[] {
  const tolerance = { float64: 1e-12, float32: 1e-5, int32: 0, uint8: 0, bool: 0 }[actual.dtype];
  const wanted = expected.toTypedArray();
  return Array.from(actual.toTypedArray(), (element, i) => agree(element, wanted[i]!, tolerance));
}

/** What is asked about every operator, in the order of the page, each with its letter there. */
export const aspects: Readonly<Record<'V' | 'G' | 'S' | 'J' | 'M', Aspect>> = {
  V: value,
  G: gradient,
  S: secondGradient,
  J: forward,
  M: mapped,
};
