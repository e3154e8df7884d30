import { noGrad, requireOptions, ShapeError, ValueError, DTypeError, Tensor } from '@tapegrad/core';
import { compute, slotOf } from './members.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';

/** What computes a parameter from the tensors that are learned in its place. */
export interface Parametrization extends Module {
  forward(...originals: Tensor[]): Tensor;
  /**
   * The originals from which `forward` would compute x, or nearly so; without it x itself is the original.
   */
  rightInverse?(x: Tensor): Tensor | readonly Tensor[];
  /**
   * What older state dicts put behind the parameter's name for each original: `_g` and `_v` for `weight_g`,
   * `weight_v`.
   */
  readonly formerSuffixes?: readonly string[];
}

/** Options of `registerParametrization`. */
export interface RegisterParametrizationOptions {
  /** Let the parametrization change shape or dtype; default false. */
  unsafe?: boolean | undefined;
}

/** Values that were computed since `cached` began; null outside of it. */
let cache: Map<ParametrizationList, Tensor> | null = null;

/** The parametrizations of one tensor, first to last, and the tensors that are learned instead of it. */
export class ParametrizationList extends Module {
  /** How many tensors are learned. */
  readonly originals: number;
  /** Whether `forward` of the first parametrization takes them one by one. */
  readonly isList: boolean;
  readonly isBuffer: boolean;
  #count = 0;

  constructor(
    originals: Tensor | readonly Tensor[],
    { isBuffer, requiresGrad }: { isBuffer: boolean; requiresGrad: boolean },
  ) {
    super();
    const list = originals instanceof Tensor ? [originals] : originals;
    this.originals = list.length;
    this.isList = !(originals instanceof Tensor);
    this.isBuffer = isBuffer;
    list.forEach((x, i) => {
      const name = this.#nameOf(i);
      if (isBuffer) this.registerBuffer(name, x.detach());
      else this.registerParameter(name, x instanceof Parameter ? x : new Parameter(x, { requiresGrad }));
    });
  }

  #nameOf(i: number): string {
    return this.isList ? `original${i}` : 'original';
  }

  /** The parametrizations in order. */
  get steps(): Parametrization[] {
    return Array.from(
      { length: this.#count },
      (_, i) => (this as unknown as Record<string, Parametrization>)[String(i)]!,
    );
  }

  /** Puts a further parametrization behind the others. */
  append(step: Parametrization): void {
    this.registerModule(String(this.#count), step);
    this.#count++;
  }

  /** The tensors that are learned. */
  learned(): Tensor[] {
    return Array.from(
      { length: this.originals },
      (_, i) => (this as unknown as Record<string, Tensor>)[this.#nameOf(i)]!,
    );
  }

  forward(): Tensor {
    const [first, ...rest] = this.steps;
    return rest.reduce<Tensor>((x, step) => step(x), first!(...this.learned()));
  }

  override formerKey(path: string, key: string): string | null {
    const suffix = this.steps[0]?.formerSuffixes?.[Number(key.replace('original', ''))];
    return suffix === undefined
      ? null
      : path.replace(/parametrizations\.(\w+)\.$/, (_, name: string) => name + suffix);
  }

  /** The value now, computed once within `cached`. */
  value(): Tensor {
    const known = cache?.get(this);
    if (known !== undefined) return known;
    const value = this.invoke([]) as Tensor;
    cache?.set(this, value);
    return value;
  }

  /**
   * Overwrites what is learned so that the value becomes x, or the nearest that the parametrizations allow.
   */
  assign(x: Tensor): void {
    noGrad(() => {
      const inverse = this.steps.reduceRight<Tensor | readonly Tensor[]>((value, step) => {
        if (step.rightInverse === undefined) {
          throw new ValueError(
            `${step.constructor.name} has no rightInverse, so that its parameter cannot be assigned`,
          );
        }
        return step.rightInverse(value as Tensor);
      }, x);
      const originals = inverse instanceof Tensor ? [inverse] : inverse;
      this.learned().forEach((own, i) => own.copy_(originals[i]!));
    });
  }
}

type Lists = Record<string, ParametrizationList>;

/** The lists of a module by the name of the tensor; null if it has none. */
function listsOf(module: Module): Lists | null {
  const holder = module as unknown as Record<string, unknown>;
  return (holder['parametrizations'] as Lists | undefined) ?? null;
}

function listOf(module: Module, name: string): ParametrizationList | null {
  const lists = listsOf(module);
  return lists !== null && Object.hasOwn(lists, name) ? lists[name]! : null;
}

/**
 * Computes a parameter or buffer of a module by a parametrization: what is learned moves to
 * `parametrizations.NAME.original` (or `original0`, `original1`, … if `rightInverse` gives several), and
 * reading the field
 * computes the value from it. Several stack up; assigning to the field goes through their inverses.
 * @throws ValueError when the module has no such tensor; ShapeError, DTypeError when the value would change
 * in shape or dtype
 * @source torch.nn.utils.parametrize.register_parametrization
 */
export function registerParametrization<T extends Module>(
  module: T,
  name: string,
  parametrization: Parametrization,
  options: RegisterParametrizationOptions = {},
): T {
  requireOptions('registerParametrization', options, ['unsafe']);
  const { unsafe = false } = options;
  const known = listOf(module, name);
  if (known !== null) {
    const before = noGrad(() => known.value());
    checkKept(
      name,
      before,
      noGrad(() => parametrization(before) as Tensor),
      unsafe,
    );
    known.append(parametrization);
    return module;
  }
  const slot = slotOf(module, name);
  if (slot === undefined) {
    throw new ValueError(
      `registerParametrization: ${module.constructor.name} has no parameter or buffer '${name}' of its own`,
      {
        argument: 'name',
      },
    );
  }
  const { tensor } = slot;
  const isBuffer = !(tensor instanceof Parameter);
  const inverse = noGrad(() => parametrization.rightInverse?.(tensor) ?? tensor);
  const given = inverse instanceof Tensor ? [inverse] : inverse;
  checkKept(
    name,
    tensor,
    noGrad(() => parametrization(...given) as Tensor),
    unsafe,
  );
  // Optimizers that know the parameter go on with it.
  if (inverse instanceof Tensor && inverse !== tensor && !isBuffer) tensor.setData(inverse.detach());
  const originals = inverse instanceof Tensor && !isBuffer ? tensor : inverse;
  const list = new ParametrizationList(originals, { isBuffer, requiresGrad: tensor.requiresGrad });
  list.append(parametrization);
  list.train(module.training);
  let lists = listsOf(module);
  if (lists === null) {
    lists = {};
    (module as unknown as Record<string, unknown>)['parametrizations'] = lists;
  }
  lists[slot.key] = list;
  if (slot.key !== name) Object.defineProperty(lists, name, { value: list, configurable: true });
  compute(module, name, () => list.value(), (value) => list.assign(value));
  return module;
}

function checkKept(name: string, before: Tensor, after: Tensor, unsafe: boolean): void {
  if (unsafe) return;
  if (before.dtype !== after.dtype) {
    throw new DTypeError(
      `registerParametrization: '${name}' is ${before.dtype}, but its parametrization gives ${after.dtype}`,
      {
        dtypes: [before.dtype, after.dtype],
      },
    );
  }
  if (before.ndim === after.ndim && before.shape.every((n, d) => n === after.shape[d])) return;
  throw new ShapeError(
    `registerParametrization: '${name}' is [${before.shape.join(', ')}], but its parametrization gives [${after.shape.join(', ')}]; ` +
      'set unsafe to true if that is meant',
    { shapes: [before.shape, after.shape] },
  );
}

/**
 * Whether a module has parametrizations, for the named tensor or at all.
 * @source torch.nn.utils.parametrize.is_parametrized
 */
export function isParametrized(module: Module, name?: string): boolean {
  return name === undefined ? Object.keys(listsOf(module) ?? {}).length > 0 : listOf(module, name) !== null;
}

/** Options of `removeParametrizations`. */
export interface RemoveParametrizationOptions {
  /**
   * Keep the computed value, which is learned from now on; default true. With false the original comes back.
   */
  leaveParametrized?: boolean | undefined;
}

/**
 * Makes a parametrized tensor an ordinary one again.
 * @throws ValueError when it is not parametrized, or several originals stand for it and are to come back
 * @source torch.nn.utils.parametrize.remove_parametrizations
 */
export function removeParametrizations<T extends Module>(
  module: T,
  name: string,
  options: RemoveParametrizationOptions = {},
): T {
  requireOptions('removeParametrizations', options, ['leaveParametrized']);
  const { leaveParametrized = true } = options;
  const list = listOf(module, name);
  if (list === null)
    throw new ValueError(
      `removeParametrizations: '${name}' of ${module.constructor.name} is not parametrized`,
    );
  if (!leaveParametrized && list.isList) {
    throw new ValueError(
      `removeParametrizations: several originals stand for '${name}'; only its value can be left`,
    );
  }
  const [original] = list.learned() as [Tensor];
  const value = leaveParametrized ? noGrad(() => list.forward()).clone() : original;
  const lists = listsOf(module)!;
  const key = Object.keys(lists).find((each) => lists[each] === list)!;
  delete lists[key];
  delete lists[name];
  const holder = module as unknown as Record<string, unknown>;
  if (Object.keys(lists).length === 0) delete holder['parametrizations'];
  delete holder[name];
  if (list.isBuffer) module.registerBuffer(name, value, { key });
  else {
    const parameter =
      value instanceof Parameter ? value : new Parameter(value, { requiresGrad: original.requiresGrad });
    module.registerParameter(name, parameter, { key });
  }
  return module;
}

/**
 * Runs a function in which every parametrized tensor is computed only once, on first use.
 * @source torch.nn.utils.parametrize.cached
 */
export function cached<T>(body: () => T): T {
  const outer = cache;
  cache ??= new Map();
  try {
    return body();
  } finally {
    cache = outer;
  }
}
