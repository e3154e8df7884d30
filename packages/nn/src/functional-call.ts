import { requireOptions, ShapeError, ValueError, type Tensor } from '@tapegrad/core';
import { membersOf, type Slot } from './members.ts';
import type { Module } from './module.ts';

/** Options of `functionalCall`. */
export interface FunctionalCallOptions {
  /** Refuse to leave out any parameter or buffer; default false: those left out are the module's own. */
  strict?: boolean;
  /** Replace a tensor that the module holds in several places everywhere; default true. */
  tieWeights?: boolean;
}

/**
 * Calls a module with other tensors in place of its parameters and buffers, by their names in the state dict. The
 * module is as it was afterwards, also when the call throws. Gradients flow to the tensors that were given.
 * @throws ValueError when a name is unknown, or with `strict` when one is missing
 * @throws ShapeError when a tensor has another shape than the one it stands for
 * @example
 * const layer = new nn.Linear(2, 1);
 * const weight = tg.tensor([[1, 2]], { requiresGrad: true });
 * const y = nn.functionalCall(layer, { weight, bias: tg.zeros(1) }, [tg.tensor([3, 4])]);
 * console.log(y.item()); // → 11
 * @source torch.func.functional_call
 */
export function functionalCall<M extends Module>(
  module: M,
  tensors: Readonly<Record<string, Tensor>>,
  args: Parameters<M['forward']>,
  options: FunctionalCallOptions = {},
): ReturnType<M['forward']> {
  requireOptions('functionalCall', options, ['strict', 'tieWeights']);
  const slots = slotsOf(module);
  check(slots, tensors, options.strict ?? false);
  const replacements = new Map<Tensor, Tensor>();
  if (options.tieWeights ?? true) {
    for (const [name, { tensor }] of slots) if (tensors[name] !== undefined) replacements.set(tensor, tensors[name]);
  }
  const swapped: Slot[] = [];
  try {
    for (const [name, slot] of slots) {
      const replacement = tensors[name] ?? replacements.get(slot.tensor);
      if (replacement === undefined) continue;
      swapped.push(slot);
      slot.holder[slot.field] = replacement;
    }
    return module.invoke(args) as ReturnType<M['forward']>;
  } finally {
    for (const { holder, field, tensor } of swapped) holder[field] = tensor;
  }
}

/** Every place that holds a parameter or buffer, by its full name. */
function slotsOf(module: Module): [name: string, slot: Slot][] {
  return module.namedModules({ removeDuplicate: false }).flatMap(([path, owner]) => {
    const { parameters, buffers } = membersOf(owner);
    return [...parameters, ...buffers].map((slot): [string, Slot] => [path === '' ? slot.key : `${path}.${slot.key}`, slot]);
  });
}

function check(slots: readonly [string, Slot][], tensors: Readonly<Record<string, Tensor>>, strict: boolean): void {
  const known = new Map(slots);
  const unexpected = Object.keys(tensors).filter((name) => !known.has(name));
  const missing = strict ? [...known.keys()].filter((name) => tensors[name] === undefined) : [];
  if (unexpected.length > 0 || missing.length > 0) {
    const parts = [
      ...(missing.length > 0 ? [`missing: ${missing.join(', ')}`] : []),
      ...(unexpected.length > 0 ? [`unexpected: ${unexpected.join(', ')}`] : []),
    ];
    throw new ValueError(`functionalCall: the tensors do not match the module; ${parts.join('; ')}`);
  }
  for (const [name, { tensor }] of known) {
    const given = tensors[name];
    if (given !== undefined && given.shape.join() !== tensor.shape.join()) {
      throw new ShapeError(
        `functionalCall: ${name} is [${given.shape.join(', ')}], but the module's is [${tensor.shape.join(', ')}]`,
        { argument: name, shapes: [given.shape, tensor.shape] },
      );
    }
  }
}
