import { isFloating } from '../dtype.ts';
import { DTypeError, GradError, ShapeError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { sameShape, shapeString } from '../shape.ts';
import { addressOf, hostArray } from '../storage.ts';
import type { Gradient } from '../tape.ts';
import { Tensor } from '../tensor.ts';
import { warnOnce } from '../warnings.ts';
import { noteWalked } from '../walked-losses.ts';
import { retainGrad } from './hooks.ts';
import { walk, type Edge } from './engine.ts';

/** One tensor or several. */
export type OneOrMany<T> = T | readonly T[];

/** How a backward pass treats the graph. */
export interface BackwardOptions {
  /** Keep saved values, so that the graph can be walked again. Default: the value of `createGraph`. */
  retainGraph?: boolean | undefined;
  /** Record the pass itself, for gradients of gradients. Default false. */
  createGraph?: boolean | undefined;
  /** Accumulate only into these tensors, leaves or not, instead of all leaves. */
  inputs?: OneOrMany<Tensor> | undefined;
}

const backwardNames: OptionNames<BackwardOptions> = { retainGraph: 1, createGraph: 1, inputs: 1 };

/**
 * Computes the gradient of `x` with respect to the leaves it was made from and adds it to their `.grad`.
 * @param gradient the gradient of whatever follows with respect to `x`, of its shape; may be left out for one element
 * @throws GradError when `x` has no graph, has several elements and no `gradient`, or its graph was already used up
 * @throws ShapeError when `gradient` has another shape
 * @example
 * const x = tg.tensor(3, { requiresGrad: true });
 * x.mul(x).backward();
 * console.log(x.grad.item()); // → 6
 * @source torch.Tensor.backward
 */
export function backward(x: OneOrMany<Tensor>, gradient?: OneOrMany<Gradient> | null, options: BackwardOptions = none): void {
  checkOptions('backward', options, backwardNames);
  const roots = listOf(x);
  const seeds = seedsFor('backward', roots, gradient === undefined || gradient === null ? [] : listOf(gradient));
  const { createGraph = false, retainGraph = createGraph } = options;
  if (createGraph) {
    warnOnce(
      'backward: createGraph',
      'backward({ createGraph: true }) keeps the whole graph alive through the .grad of each leaf. Prefer ' +
        'grad(loss, inputs, { createGraph: true }), or set .grad to null when you are done.',
    );
  }
  for (const root of roots) noteWalked(root.edge()!);
  if (options.inputs === undefined) {
    walk({ roots: edgesOf(roots), seeds, targets: null, capture: false, retainGraph, createGraph });
    return;
  }
  const inputs = listOf(options.inputs);
  if (inputs.length === 0) throw new GradError('`inputs` argument to `backward()` cannot be empty');
  const targets = inputs.map((input, i) => targetOf(input, i));
  for (const input of inputs) retainGrad(input);
  walk({ roots: edgesOf(roots), seeds, targets, capture: false, retainGraph, createGraph });
}

/** How `grad` treats the graph and what it does with inputs that were not used. */
export interface GradOptions {
  /** Gradients of the outputs, one each; may be left out for outputs of one element. */
  gradOutputs?: OneOrMany<Gradient> | null | undefined;
  retainGraph?: boolean | undefined;
  createGraph?: boolean | undefined;
  /** Give null instead of an error for inputs that do not matter. */
  allowUnused?: boolean | undefined;
  /** Give zeros for them. */
  materializeGrads?: boolean | undefined;
}

const gradNames: OptionNames<GradOptions> = { gradOutputs: 1, retainGraph: 1, createGraph: 1, allowUnused: 1, materializeGrads: 1 };

/**
 * The gradients of the sum of the outputs with respect to the inputs, as an array; no `.grad` is touched.
 * @throws GradError when an input does not require grad or was not used (see `allowUnused`)
 * @example
 * const x = tg.tensor(3, { requiresGrad: true });
 * const [gx] = tg.grad(x.mul(x), x);
 * console.log(gx.item()); // → 6
 * @source torch.autograd.grad
 */
export function grad(outputs: OneOrMany<Tensor>, inputs: OneOrMany<Tensor>, options?: GradOptions): Tensor[];
export function grad(
  outputs: OneOrMany<Tensor>,
  inputs: OneOrMany<Tensor>,
  options: GradOptions & { allowUnused: true },
): (Tensor | null)[];
export function grad(
  outputs: OneOrMany<Tensor>,
  inputs: OneOrMany<Tensor>,
  options: GradOptions = none,
): (Tensor | null)[] {
  checkOptions('grad', options, gradNames);
  const roots = listOf(outputs);
  const wanted = listOf(inputs);
  const { createGraph = false, retainGraph = createGraph, materializeGrads = false } = options;
  const { allowUnused = materializeGrads } = options;
  if (wanted.length === 0) throw new GradError('grad requires non-empty inputs.');
  if (materializeGrads && !allowUnused) {
    throw new GradError('Expected allowUnused to be true or not passed when materializeGrads is true');
  }
  const { gradOutputs } = options;
  const seeds = seedsFor('grad', roots, gradOutputs === undefined || gradOutputs === null ? [] : listOf(gradOutputs));
  const targets = wanted.map((input, i) => targetOf(input, i));
  const found = walk({ roots: edgesOf(roots), seeds, targets, capture: true, retainGraph, createGraph });
  return found.map((gradient, i) => {
    if (gradient !== null) return createGraph || gradient.node === null ? gradient : gradient.detach();
    if (materializeGrads) return wanted[i]!.detach().zerosLike();
    if (allowUnused) return null;
    throw new GradError(
      `grad: One of the differentiated Tensors appears to not have been used in the graph: input ${i}, of shape ` +
        `${shapeString(wanted[i]!.shape)}. Set allowUnused: true if this is the desired behavior`,
      { op: 'grad', argument: `inputs[${i}]` },
    );
  });
}

/**
 * The gradient of a leaf for a glance, null if it has none. Unlike reading `.grad` it does not count as taking hold of
 * it, so that clearing the gradient frees its memory at once: for optimizers, which must not keep it.
 */
export function peekGrad(x: Tensor): Tensor | null {
  return x.gradient;
}

function listOf<T extends Tensor | null>(value: OneOrMany<T>): readonly T[] {
  return value === null || value instanceof Tensor ? [value as T] : (value as readonly T[]);
}

function edgesOf(roots: readonly Tensor[]): Edge[] {
  return roots.map((root) => ({ node: root.edge()!, slot: root.slot }));
}

function targetOf(input: Tensor, i: number): Edge {
  const node = input.edge();
  if (node === null) {
    throw new GradError(`One of the differentiated Tensors does not require grad: input ${i}. Create it with ` +
      '{ requiresGrad: true }, or call requiresGrad_() on it before it is used');
  }
  return { node, slot: input.slot };
}

function seedsFor(op: string, roots: readonly Tensor[], given: readonly Gradient[]): Tensor[] {
  if (given.length > 0 && given.length !== roots.length) {
    throw new GradError(`${op}: got ${roots.length} tensors and ${given.length} gradients; give one gradient for each`);
  }
  return roots.map((root, i) => {
    if (root.edge() === null) {
      throw new GradError(
        `${op}: element ${i} of tensors does not require grad and does not have a grad_fn. Nothing it was computed from ` +
          'requires grad (or it was computed inside noGrad, or detached); set requiresGrad on the parameters first',
        { op },
      );
    }
    const seed = given[i] ?? null;
    if (seed === null) return implicitSeed(op, root);
    checkSeed(op, root, seed, i);
    return seed.dtype === root.dtype ? seed : seed.to(root.dtype);
  });
}

function implicitSeed(op: string, root: Tensor): Tensor {
  if (root.numel() !== 1) {
    throw new GradError(
      `${op}: grad can be implicitly created only for scalar outputs, and this one has shape ` +
        `${shapeString(root.shape)}. Reduce the loss to one number (loss.sum() or loss.mean()), or pass the gradient of ` +
        'each element',
      { op, shapes: [root.shape] },
    );
  }
  // A single number is written without a kernel, in the heap at once, where the rules want it.
  const seed = root.emptyLike();
  addressOf(seed.storage);
  hostArray(seed.storage, seed.dtype)[0] = 1;
  return seed;
}

function checkSeed(op: string, root: Tensor, seed: Tensor, i: number): void {
  if (!sameShape(seed.shape, root.shape)) {
    throw new ShapeError(
      `${op}: Mismatch in shape: grad_output[${i}] has a shape of ${shapeString(seed.shape)} and output[${i}] has a shape ` +
        `of ${shapeString(root.shape)}; a gradient always has the shape of its variable`,
      { op, shapes: [seed.shape, root.shape] },
    );
  }
  if (!isFloating(seed.dtype)) throw new DTypeError(`${op}: gradient ${i} is ${seed.dtype}; it must be floating-point`);
}
