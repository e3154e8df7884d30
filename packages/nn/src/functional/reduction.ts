import { ShapeError, ValueError, warnOnce, type Tensor } from '@tapegrad/core';

/** What is made of the losses of all elements: their mean, their sum, or nothing. */
export type Reduction = 'mean' | 'sum' | 'none';

/** Option that all losses share. */
export interface LossOptions {
  /** Default 'mean'. */
  reduction?: Reduction | undefined;
}

/**
 * Reduces the losses of all elements.
 * @throws ValueError for an unknown reduction
 */
export function reduced(op: string, losses: Tensor, reduction: Reduction = 'mean'): Tensor {
  checkReduction(op, reduction);
  if (reduction === 'none') return losses;
  return reduction === 'mean' ? losses.mean() : losses.sum();
}

/** Refuses what is not a reduction. */
export function checkReduction(op: string, reduction: Reduction): void {
  if (reduction === 'mean' || reduction === 'sum' || reduction === 'none') return;
  throw new ValueError(`${op}: the reduction must be 'mean', 'sum' or 'none', got '${String(reduction)}'`, {
    op,
    argument: 'reduction',
  });
}

/** Says once per loss that input and target have different shapes: broadcasting them is hardly ever meant. */
export function warnUnequal(op: string, x: Tensor, target: Tensor): void {
  if (sameShape(x, target)) return;
  warnOnce(
    `${op} of unequal shapes`,
    `${op}: ${unequal(x, target)} They are broadcast, which is likely to give a wrong result.`,
  );
}

/** Whether a tensor is what an operation of this name gave, in whatever shape. */
export function comesFrom(x: Tensor, name: string): boolean {
  let node = x.gradFn;
  while (node !== null && node.rule.name === 'view') node = node.inputs[0]!;
  return node !== null && node.rule.name === name;
}

/** Refuses an input and a target of different shapes. */
export function requireEqual(op: string, x: Tensor, target: Tensor): void {
  if (sameShape(x, target)) return;
  throw new ShapeError(`${op}: ${unequal(x, target)}`, {
    op,
    argument: 'target',
    shapes: [x.shape, target.shape],
  });
}

function sameShape(x: Tensor, target: Tensor): boolean {
  return x.shape.length === target.shape.length && x.shape.every((size, d) => size === target.shape[d]);
}

function unequal(x: Tensor, target: Tensor): string {
  const [input, other] = [x, target].map(({ shape }) => `[${shape.join(', ')}]`);
  return `the input is ${input}, but the target is ${other}. ${remedy(x, target)}`;
}

function remedy(x: Tensor, target: Tensor): string {
  const last = x.ndim - 1;
  const fits = (long: Tensor, short: Tensor): boolean =>
    long.ndim === short.ndim + 1 &&
    long.shape.at(-1) === 1 &&
    short.shape.every((size, d) => size === long.shape[d]);
  if (fits(x, target)) return `Use input.squeeze(${last}) or target.unsqueeze(${last}).`;
  if (fits(target, x)) return `Use target.squeeze(${last + 1}) or input.unsqueeze(${last + 1}).`;
  return 'Both must have the same shape.';
}
