import { retainAt } from '../dispatch.ts';
import { DTypeError, GradError, ShapeError } from '../errors.ts';
import { modes } from '../modes.ts';
import { sameShape, shapeString } from '../shape.ts';
import { addTo, hooksOf, type Gradient, type GradHook, type Node, type RemovableHandle } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Calls `hook` with the gradient of `x` in every backward pass that computes it; a tensor that it returns takes the
 * gradient's place. It must not change the gradient in place. The hook stays with the value that `x` has now.
 * @throws GradError if `x` does not require grad
 * @source torch.Tensor.register_hook
 */
export function registerHook(x: Tensor, hook: GradHook): RemovableHandle {
  const node = x.edge();
  if (node === null) throw new GradError("cannot register a hook on a variable that doesn't require gradient");
  return addTo(hooksOf(node).tensor, { slot: x.slot, hook });
}

/**
 * Calls `hook` with a leaf after its `.grad` was updated; returns the handle that removes it.
 * @throws GradError on tensors that are not leaves or do not require grad
 * @source torch.Tensor.register_post_accumulate_grad_hook
 */
export function registerPostAccumulateGradHook(x: Tensor, hook: (leaf: Tensor) => void): RemovableHandle {
  const node = x.edge();
  if (node === null) throw new GradError("cannot register a hook on a variable that doesn't require gradient");
  if (!x.isLeaf) throw new GradError('post accumulate grad hooks cannot be registered on non-leaf tensors');
  return addTo(hooksOf(node).postAccumulate, { hook });
}

/**
 * Makes backward passes store the gradient of this computed tensor in `.grad` too. Nothing to do on a leaf.
 * @throws GradError if it does not require grad
 * @source torch.Tensor.retain_grad
 */
export function retainGrad(x: Tensor): void {
  if (!x.requiresGrad) throw new GradError("can't retain_grad on Tensor that has requires_grad=False");
  if (x.isLeaf || x.retainsGrad) return;
  x.meta().retainsGrad = true;
  retainAt(x.gradFn!, x.slot, x);
}

/** Tensor hooks in order, then storing for `retainGrad`. */
export function runTensorHooks(node: Node, incoming: readonly Gradient[], createGraph: boolean): Gradient[] {
  const gradients = [...incoming];
  const hooks = node.hooks!;
  for (const { slot, hook } of [...hooks.tensor]) {
    const gradient = gradients[slot] ?? null;
    if (gradient === null) continue;
    gradient.storage.transient = false;
    const replaced = hook(gradient);
    if (replaced !== undefined && replaced !== null) {
      checkReplacement(hook.name, gradient, replaced);
      gradients[slot] = take(gradient, replaced);
    }
  }
  for (const [slot, tensor] of hooks.retain) {
    const gradient = gradients[slot] ?? null;
    if (gradient !== null) addRetained(tensor, gradient, createGraph);
  }
  return gradients;
}

/** The node's pre-hooks. */
export function runPreHooks(node: Node, incoming: readonly Gradient[]): readonly Gradient[] {
  let gradients = incoming;
  for (const { hook } of [...node.hooks!.pre]) {
    for (const gradient of gradients) if (gradient) gradient.storage.transient = false;
    const replaced = hook(gradients);
    if (replaced === undefined || replaced === null) continue;
    if (replaced.length !== gradients.length) {
      throw new GradError(
        `a pre-hook of ${node.name} returned ${replaced.length} gradients, but the node has ${gradients.length}`,
      );
    }
    gradients = replaceAll(gradients, replaced);
  }
  return gradients;
}

/** The node's post-hooks. */
export function runPostHooks(node: Node, results: readonly Gradient[], gradients: readonly Gradient[]): readonly Gradient[] {
  let current = results;
  for (const { hook } of [...node.hooks!.post]) {
    for (const gradient of [...current, ...gradients]) if (gradient) gradient.storage.transient = false;
    const replaced = hook(current, gradients);
    if (replaced === undefined || replaced === null) continue;
    if (replaced.length !== current.length) {
      throw new GradError(
        `a hook of ${node.name} returned ${replaced.length} gradients, but the node has ${current.length} inputs`,
      );
    }
    current = replaceAll(current, replaced);
  }
  return current;
}

function replaceAll(old: readonly Gradient[], replaced: readonly Gradient[]): Gradient[] {
  return replaced.map((value, i) => (value === old[i] ? value : take(old[i] ?? null, value ?? null)));
}

/** A replacement takes over the reference of what it replaces. */
function take(old: Gradient, replaced: Gradient): Gradient {
  if (old !== null) old.storage.references--;
  if (replaced !== null) {
    replaced.storage.transient = false;
    replaced.storage.references++;
  }
  return replaced;
}

function checkReplacement(name: string, gradient: Tensor, replaced: Tensor): void {
  if (!sameShape(gradient.shape, replaced.shape)) {
    throw new ShapeError(
      `hook '${name}' has changed the size of value: the gradient is ${shapeString(gradient.shape)}, the hook returned ` +
        shapeString(replaced.shape),
    );
  }
  if (gradient.dtype !== replaced.dtype) {
    throw new DTypeError(`hook '${name}' has changed the type of value from ${gradient.dtype} to ${replaced.dtype}`);
  }
}

function addRetained(tensor: Tensor, gradient: Tensor, createGraph: boolean): void {
  const grad = createGraph ? gradient : gradient.detach().clone();
  gradient.storage.transient &&= !createGraph;
  if (createGraph) tensor.meta().gradientSeen = true;
  if (tensor.gradient === null) tensor.gradient = grad;
  else if (createGraph) tensor.gradient = tensor.gradient.add(grad);
  else tensor.gradient = addOutside(tensor.gradient, grad);
}

function addOutside(sum: Tensor, gradient: Tensor): Tensor {
  const before = modes.grad;
  modes.grad = false;
  try {
    return sum.add(gradient);
  } finally {
    modes.grad = before;
  }
}
