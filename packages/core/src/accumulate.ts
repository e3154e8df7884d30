import { active } from './backend/registry.ts';
import { GradError } from './errors.ts';
import { input } from './expr/index.ts';
import { alike } from './layout.ts';
import { modes } from './modes.ts';
import { nextTick } from './storage.ts';
import type { Rule } from './tape.ts';
import type { Tensor } from './tensor.ts';

/** The rule at the end of every path: adds the gradient to the leaf's `.grad`. */
export const accumulateGrad: Rule = {
  name: 'accumulate_grad',
  title: 'AccumulateGrad',
  vjp(node, [gradient]) {
    const leaf = node.attrs as Tensor;
    if (!leaf.requiresGrad) return [];
    const sum = leaf.gradient;
    if (sum === null) leaf.gradient = modes.grad ? gradient!.clone() : ownGradient(gradient!);
    else if (modes.grad) leaf.gradient = sum.add(gradient!);
    else addInto(sum, gradient!);
    if (node.hooks !== null) {
      for (const { hook } of [...node.hooks.postAccumulate]) {
        const result: unknown = hook(leaf);
        if (result !== undefined && result !== null) {
          throw new GradError(`the post accumulate grad hook '${hook.name}' must return nothing; change x.grad instead`);
        }
      }
    }
    return [];
  },
};

/**
 * A gradient that shares memory with nothing a user can see: the gradient itself if nobody else has it, else a copy.
 * While recording, copies and sums are made out of place instead, since the old ones may be part of a graph.
 */
function ownGradient(gradient: Tensor): Tensor {
  const { storage } = gradient;
  if (storage.transient && storage.references === 1 && gradient.isContiguous() && gradient.offset === 0) {
    storage.transient = false;
    storage.kept = true;
    return gradient.node === null ? gradient : gradient.detach();
  }
  const copy = gradient.detach().clone();
  copy.storage.kept = true;
  return copy;
}

const sumOfTwo = input(0).add(input(1));
const noNumbers: readonly number[] = [];

/** Adds a gradient to a sum in place, off the tape. */
export function addInto(sum: Tensor, gradient: Tensor): void {
  if (!sum.layout.isPlain || !alike(sum, gradient)) {
    sum.add_(gradient);
    return;
  }
  nextTick();
  active.kernels.dense(sumOfTwo, sum.layout.numel, sum, sum, gradient, null, null, noNumbers);
  sum.storage.version++;
}
