import { noGrad, requireOptions, TapegradError, type Tensor } from '@tapegrad/core';
import { childrenOf, membersOf, type Slot } from './members.ts';
import type { Module } from './module.ts';
import { Parameter } from './parameter.ts';

/** Tensors by dotted path, in the order of the modules: what is saved of a model. */
export type StateDict = Record<string, Tensor>;

/** Options of `stateDict`. */
export interface StateDictOptions {
  /** Put in front of every key; default ''. */
  prefix?: string;
  /** Give the parameters themselves instead of detached tensors that share their memory; default false. */
  keepVars?: boolean;
}

/** Options of `loadStateDict`. */
export interface LoadOptions {
  /** Throw when keys are missing or unexpected; default true. Shapes must agree in any case. */
  strict?: boolean;
  /** Put the given tensors in the place of the module's own instead of copying the values; default false. */
  assign?: boolean;
}

/** What `loadStateDict` found. */
export interface LoadReport {
  /** Keys that the module has and the state dict has not. */
  readonly missingKeys: readonly string[];
  /** Keys that the module does not know. */
  readonly unexpectedKeys: readonly string[];
}

/** A state dict does not fit a module. Nothing was changed. */
export class StateDictError extends TapegradError {
  override readonly name: string = 'StateDictError';
  readonly missingKeys: readonly string[];
  readonly unexpectedKeys: readonly string[];
  /** One sentence for each tensor of another shape. */
  readonly sizeMismatches: readonly string[];
  constructor(module: string, report: LoadReport, sizeMismatches: readonly string[]) {
    const quoted = (keys: readonly string[]): string => keys.map((key) => `"${key}"`).join(', ');
    const lines = [...sizeMismatches];
    if (report.unexpectedKeys.length > 0) {
      lines.unshift(`Unexpected key(s) in the state dict: ${quoted(report.unexpectedKeys)}.`);
    }
    if (report.missingKeys.length > 0)
      lines.unshift(`Missing key(s) in the state dict: ${quoted(report.missingKeys)}.`);
    super(
      `loadStateDict: the state dict does not fit ${module}; nothing was changed:\n\t${lines.join('\n\t')}`,
    );
    this.missingKeys = report.missingKeys;
    this.unexpectedKeys = report.unexpectedKeys;
    this.sizeMismatches = sizeMismatches;
  }
}

const EXTRA = '_extra_state';

/** What is saved of one module itself: parameters, then buffers, by key. */
function savedSlots(module: Module): Slot[] {
  const { parameters, buffers } = membersOf(module);
  return [...parameters, ...buffers.filter(({ persistent }) => persistent)];
}

/** Walks a module and its children, shared ones as often as they appear. */
function walk(module: Module, prefix: string, visit: (module: Module, prefix: string) => void): void {
  visit(module, prefix);
  for (const [key, child] of childrenOf(module)) walk(child, `${prefix}${key}.`, visit);
}

/** Collects the state of a module and all below it. */
export function collectState(root: Module, options: StateDictOptions): StateDict {
  requireOptions('stateDict', options, ['prefix', 'keepVars']);
  const { prefix = '', keepVars = false } = options;
  const state: StateDict = {};
  walk(root, prefix, (module, path) => {
    for (const { key, tensor } of savedSlots(module)) state[path + key] = keepVars ? tensor : tensor.detach();
    const extra = module.getExtraState();
    if (extra !== null) state[path + EXTRA] = extra;
  });
  return state;
}

/** Checks a whole state dict, then copies it into the module. */
export function loadState(root: Module, state: StateDict, options: LoadOptions): LoadReport {
  requireOptions('loadStateDict', options, ['strict', 'assign']);
  const { strict = true, assign = false } = options;
  const writes: (() => void)[] = [];
  const mismatches: string[] = [];
  const missingKeys: string[] = [];
  const known = new Set<string>();
  walk(root, '', (module, path) => {
    for (const slot of savedSlots(module)) {
      const key = keyIn(state, path + slot.key, module.formerKey(path, slot.key));
      known.add(key);
      const given = Object.hasOwn(state, key) ? state[key] : undefined;
      if (given === undefined) missingKeys.push(key);
      else if (!fits(slot.tensor, given)) mismatches.push(mismatch(key, slot.tensor, given));
      else writes.push(() => (assign ? replace(slot, given) : overwrite(slot.tensor, given)));
    }
    const key = path + EXTRA;
    const extra = Object.hasOwn(state, key) ? state[key] : undefined;
    if (module.getExtraState() === null) return;
    known.add(key);
    if (extra === undefined) missingKeys.push(key);
    else writes.push(() => module.setExtraState(extra));
  });
  const unexpectedKeys = Object.keys(state).filter((key) => !known.has(key));
  const report = { missingKeys, unexpectedKeys };
  if (mismatches.length > 0 || (strict && (missingKeys.length > 0 || unexpectedKeys.length > 0))) {
    const { name } = root.constructor;
    throw new StateDictError(name, strict ? report : { missingKeys: [], unexpectedKeys: [] }, mismatches);
  }
  noGrad(() => writes.forEach((write) => write()));
  return report;
}

/** A key, or the one that it had formerly where only that is known. */
function keyIn(state: StateDict, key: string, former: string | null): string {
  return former !== null && !Object.hasOwn(state, key) && Object.hasOwn(state, former) ? former : key;
}

/** Shapes agree; a single element of old checkpoints also fits a scalar. */
function fits(own: Tensor, given: Tensor): boolean {
  if (own.ndim === 0 && given.ndim === 1 && given.numel() === 1) return true;
  return own.shape.length === given.shape.length && own.shape.every((size, d) => size === given.shape[d]);
}

function mismatch(key: string, own: Tensor, given: Tensor): string {
  return (
    `size mismatch for ${key}: the state dict has shape [${given.shape.join(', ')}], ` +
    `the shape in the current model is [${own.shape.join(', ')}].`
  );
}

function overwrite(own: Tensor, given: Tensor): void {
  own.copy_(given.reshape(own.shape));
}

function replace({ holder, field, tensor }: Slot, given: Tensor): void {
  const { requiresGrad } = tensor;
  if (!(tensor instanceof Parameter)) holder[field] = given;
  else if (given instanceof Parameter) holder[field] = given.requiresGrad_(requiresGrad);
  else holder[field] = new Parameter(given, { requiresGrad });
}
