import { cat, noGrad, rand, requireOptions, ShapeError, ValueError, type Tensor } from '@tapegrad/core';
import { compute, forget, slotOf } from './members.ts';
import type { Module } from './module.ts';
import { Parameter } from './parameter.ts';

/**
 * How much is pruned: below 1 a share of what is not pruned yet, otherwise a whole number of elements or channels. All of
 * them are pruned by their number: 1 is one, and not everything.
 */
export type Amount = number;

/** By what elements are chosen: those whose numbers are the smallest are pruned. */
export type Ranking = (scores: Tensor) => Tensor;

/** Small magnitudes are pruned. @source torch.nn.utils.prune.L1Unstructured */
export const L1Unstructured: Ranking = (scores) => scores.abs();

/** Chance prunes. @source torch.nn.utils.prune.RandomUnstructured */
export const RandomUnstructured: Ranking = (scores) => rand(scores.shape, { dtype: scores.dtype as 'float32' }).neg();

/** Options of the methods that choose by scores. */
export interface ScoreOptions {
  /** What is looked at instead of the values, in their shape. */
  importanceScores?: Tensor | null | undefined;
}

/** The names of the pruned parameters of modules. */
const prunedNames = new WeakMap<Module, Set<string>>();

/** The fields of a module; those of a pruned parameter NAME are NAMEOrig and NAMEMask. */
function fieldsOf(module: Module): Record<string, unknown> {
  return module as unknown as Record<string, unknown>;
}

function isPrunedHere(module: Module, name: string): boolean {
  return prunedNames.get(module)?.has(name) ?? false;
}

/** The parameter to prune, or what is left of it, and its mask. */
function partsOf(op: string, module: Module, name: string): { value: Tensor; mask: Tensor } {
  const isPruned = isPrunedHere(module, name);
  if (!isPruned && !(slotOf(module, name)?.tensor instanceof Parameter)) {
    throw new ValueError(`prune.${op}: ${module.constructor.name} has no parameter '${name}' of its own`, { op, argument: 'name' });
  }
  const value = noGrad(() => fieldsOf(module)[name] as Tensor).detach();
  return { value, mask: isPruned ? (fieldsOf(module)[`${name}Mask`] as Tensor) : value.onesLike() };
}

function scoresFor(op: string, value: Tensor, options: ScoreOptions): Tensor {
  requireOptions(op, options, ['importanceScores']);
  const scores = options.importanceScores ?? value;
  if (scores.shape.join() === value.shape.join()) return scores.detach();
  throw new ShapeError(`prune.${op}: importanceScores are [${scores.shape.join(', ')}], but the parameter is [${value.shape.join(', ')}]`, {
    op,
    argument: 'importanceScores',
    shapes: [scores.shape, value.shape],
  });
}

/** How many of so many are to be pruned. Halves are rounded to even numbers, as in Python. */
function countOf(op: string, amount: Amount, size: number): number {
  const isCount = Number.isInteger(amount) && amount <= size;
  if (!(amount >= 0 && (amount < 1 || isCount))) {
    throw new ValueError(`prune.${op}: the amount must be a share below 1 or a number up to ${size}, got ${String(amount)}`, {
      op,
      argument: 'amount',
    });
  }
  if (isCount) return amount;
  const share = amount * size;
  const down = Math.floor(share);
  return share - down === 0.5 ? down + (down % 2) : Math.round(share);
}

/** Of those that are not pruned yet, by their place along a dimension, where the ranks are smallest. */
function smallest(op: string, ranks: Tensor, kept: Tensor, amount: Amount): Tensor {
  const count = countOf(op, amount, kept.numel());
  return kept.indexSelect(0, ranks.topk(count, 0, { largest: false }).indices);
}

function unstructured(op: string, mask: Tensor, scores: Tensor, ranking: Ranking, amount: Amount): Tensor {
  const kept = mask.flatten().nonzero().flatten();
  const ranks = ranking(scores.flatten().indexSelect(0, kept));
  return mask.flatten().indexFill(0, smallest(op, ranks, kept, amount), 0).reshape(mask.shape);
}

function structured(op: string, mask: Tensor, dim: number, amount: Amount, ranking: (kept: Tensor) => Tensor): Tensor {
  if (mask.ndim < 2) {
    throw new ShapeError(`prune.${op}: channels are pruned of 2 dimensions or more, got [${mask.shape.join(', ')}]`, { op, shapes: [mask.shape] });
  }
  const kept = mask.sum(othersThan(mask, dim)).nonzero().flatten();
  return mask.indexFill(dim, smallest(op, ranking(kept), kept, amount), 0);
}

function othersThan(x: Tensor, dim: number): number[] {
  const own = dim < 0 ? dim + x.ndim : dim;
  return x.shape.map((_, d) => d).filter((d) => d !== own);
}

/** Lets a parameter be computed from its original and a mask from now on. */
function apply<T extends Module>(module: T, name: string, mask: Tensor): T {
  const fields = fieldsOf(module);
  if (isPrunedHere(module, name)) {
    noGrad(() => (fields[`${name}Mask`] as Tensor).copy_(mask));
    return module;
  }
  const { tensor, key } = slotOf(module, name)!;
  module.registerParameter(`${name}Orig`, tensor, { key: `${key}_orig` });
  module.registerBuffer(`${name}Mask`, mask, { key: `${key}_mask` });
  compute(
    module,
    name,
    () => (fields[`${name}Orig`] as Tensor).mul(fields[`${name}Mask`] as Tensor),
    () => {
      throw new ValueError(`prune: '${name}' of ${module.constructor.name} is pruned; overwrite ${name}Orig, or call prune.remove first`);
    },
  );
  const names = prunedNames.get(module);
  if (names === undefined) prunedNames.set(module, new Set([name]));
  else names.add(name);
  return module;
}

/**
 * Prunes elements by chance. As by all of these functions, the parameter is computed from `NAME_orig`, which learns, and
 * `NAME_mask`, and what was pruned before stays so.
 * @returns the module
 * @throws ValueError when the module has no such parameter, or the amount is not possible
 * @source torch.nn.utils.prune.random_unstructured
 */
export function randomUnstructured<T extends Module>(module: T, name: string, amount: Amount): T {
  const op = 'randomUnstructured';
  const { value, mask } = partsOf(op, module, name);
  return apply(module, name, unstructured(op, mask, value, RandomUnstructured, amount));
}

/**
 * Prunes the elements that are nearest to 0.
 * @returns the module
 * @throws ValueError when the module has no such parameter, or the amount is not possible
 * @example
 * const layer = nn.utils.prune.l1Unstructured(new nn.Linear(2, 2), 'weight', 0.5);
 * console.log(Object.keys(layer.stateDict())); // → [ 'bias', 'weight_orig', 'weight_mask' ]
 * console.log(layer.weight.eq(0).sum().item()); // → 2
 * @source torch.nn.utils.prune.l1_unstructured
 */
export function l1Unstructured<T extends Module>(module: T, name: string, amount: Amount, options: ScoreOptions = {}): T {
  const op = 'l1Unstructured';
  const { value, mask } = partsOf(op, module, name);
  return apply(module, name, unstructured(op, mask, scoresFor(op, value, options), L1Unstructured, amount));
}

/**
 * Prunes channels along a dimension by chance.
 * @returns the module
 * @throws ValueError when the module has no such parameter, or the amount is not possible
 * @source torch.nn.utils.prune.random_structured
 */
export function randomStructured<T extends Module>(module: T, name: string, amount: Amount, dim: number): T {
  const op = 'randomStructured';
  const { value, mask } = partsOf(op, module, name);
  const ranking = (kept: Tensor): Tensor => rand([kept.numel()], { dtype: value.dtype as 'float32' });
  return apply(module, name, structured(op, mask, dim, amount, ranking));
}

/**
 * Prunes the channels along a dimension whose norms are smallest.
 * @param n which norm: 2, 1, Infinity, …
 * @returns the module
 * @throws ValueError when the module has no such parameter, or the amount is not possible
 * @source torch.nn.utils.prune.ln_structured
 */
export function lnStructured<T extends Module>(
  module: T,
  name: string,
  amount: Amount,
  n: number,
  dim: number,
  options: ScoreOptions = {},
): T {
  const op = 'lnStructured';
  const { value, mask } = partsOf(op, module, name);
  const scores = scoresFor(op, value, options);
  const ranking = (kept: Tensor): Tensor => scores.indexSelect(dim, kept).vectorNorm(n, othersThan(scores, dim));
  return apply(module, name, structured(op, mask, dim, amount, ranking));
}

/** Options of `globalUnstructured`. */
export interface GlobalOptions {
  /** `prune.L1Unstructured` or `prune.RandomUnstructured`, or ranks of your own; required. */
  pruningMethod: Ranking;
  /** Of all elements together; required. */
  amount: Amount;
}

/**
 * Prunes elements of several parameters as if they were one.
 * @throws ValueError when a module has no such parameter, or the amount is not possible; nothing is changed then
 * @source torch.nn.utils.prune.global_unstructured
 */
export function globalUnstructured(parameters: Iterable<readonly [Module, string]>, options: GlobalOptions): void {
  const op = 'globalUnstructured';
  requireOptions(op, options, ['pruningMethod', 'amount']);
  const list = [...parameters];
  const parts = list.map(([module, name]) => partsOf(op, module, name));
  const joined = (pick: (part: (typeof parts)[number]) => Tensor): Tensor => cat(parts.map((part) => pick(part).flatten()));
  const mask = unstructured(op, joined((part) => part.mask), joined((part) => part.value), options.pruningMethod, options.amount);
  const pieces = mask.split(parts.map(({ value }) => value.numel()));
  list.forEach(([module, name], i) => apply(module, name, pieces[i]!.reshape(parts[i]!.value.shape).clone()));
}

/**
 * Prunes where a mask is 0.
 * @returns the module
 * @throws ShapeError when the mask has another shape than the parameter
 * @source torch.nn.utils.prune.custom_from_mask
 */
export function customFromMask<T extends Module>(module: T, name: string, mask: Tensor): T {
  const op = 'customFromMask';
  const { value, mask: before } = partsOf(op, module, name);
  if (mask.shape.join() !== value.shape.join()) {
    throw new ShapeError(`prune.${op}: the mask is [${mask.shape.join(', ')}], but '${name}' is [${value.shape.join(', ')}]`, {
      op,
      argument: 'mask',
      shapes: [mask.shape, value.shape],
    });
  }
  return apply(module, name, before.mul(mask.detach().to(value.dtype)));
}

/**
 * Makes a pruned parameter an ordinary one, the same object as before, with zeros where it was pruned.
 * @returns the module
 * @throws ValueError when it is not pruned
 * @source torch.nn.utils.prune.remove
 */
export function remove<T extends Module>(module: T, name: string): T {
  if (!isPrunedHere(module, name)) {
    throw new ValueError(`prune.remove: '${name}' of ${module.constructor.name} is not pruned`, { op: 'remove', argument: 'name' });
  }
  const fields = fieldsOf(module);
  const { tensor, key } = slotOf(module, `${name}Orig`)!;
  noGrad(() => tensor.copy_(fields[name] as Tensor));
  for (const field of [name, `${name}Orig`, `${name}Mask`]) forget(module, field);
  prunedNames.get(module)!.delete(name);
  module.registerParameter(name, tensor, { key: key.replace(/_orig$/, '') });
  return module;
}

/** Whether any parameter of a module or of those below it is pruned. @source torch.nn.utils.prune.is_pruned */
export function isPruned(module: Module): boolean {
  return module.modules().some((each) => (prunedNames.get(each)?.size ?? 0) > 0);
}
