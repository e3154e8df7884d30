import { modes } from './modes.ts';
import type { Rule } from './tape.ts';
import type { Tensor } from './tensor.ts';

/**
 * The rule at the end of every path: adds the gradient to the leaf's `.grad`. The first gradient is taken over when
 * nobody else can see it and copied otherwise; later ones are added in place, or out of place while recording.
 */
export const accumulateGrad: Rule = {
  name: 'accumulate_grad',
  vjp(node, [gradient]) {
    const leaf = node.attrs as Tensor;
    if (!leaf.requiresGrad) return [];
    const sum = leaf.gradient;
    if (modes.grad) leaf.gradientSeen = true;
    if (sum === null) leaf.gradient = modes.grad ? gradient! : ownGradient(gradient!);
    else if (modes.grad) leaf.gradient = sum.add(gradient!);
    else sum.add_(gradient!);
    if (node.hooks !== null) for (const { hook } of [...node.hooks.postAccumulate]) hook(leaf);
    return [];
  },
};

/** A gradient that shares memory with nothing a user can see. */
export function ownGradient(gradient: Tensor): Tensor {
  const { storage } = gradient;
  if (storage.transient && storage.references === 1 && gradient.isContiguous() && gradient.offset === 0) {
    storage.transient = false;
    return gradient.node === null ? gradient : gradient.detach();
  }
  const copy = gradient.detach().clone();
  copy.storage.kept = true;
  return copy;
}
