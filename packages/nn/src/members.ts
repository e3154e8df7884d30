import { Tensor, ValueError } from '@tapegrad/core';
import { Callable } from './callable.ts';
import type { Module } from './module.ts';
import { Parameter } from './parameter.ts';

/** What a module knows of one of its fields beyond the value. */
export interface Registration {
  readonly kind: 'parameter' | 'buffer' | 'module';
  /** The name in state dicts where it differs from the field's. */
  readonly key: string;
  /** Whether a buffer is part of state dicts. */
  readonly persistent: boolean;
}

/** A tensor of a module and the place that holds it. */
export interface Slot {
  /** The name in state dicts: the field's, or `layers.0` inside an array. */
  readonly key: string;
  readonly holder: Record<string, unknown>;
  readonly field: string;
  readonly tensor: Tensor;
  readonly persistent: boolean;
}

/** What a module holds itself, in the order of its fields; children not looked into. */
export interface Members {
  readonly parameters: Slot[];
  readonly buffers: Slot[];
  readonly children: [key: string, module: Module][];
}

/** Submodules alone, in the order of the fields; what else the fields hold is not looked at. */
export function childrenOf(module: Callable): Members['children'] {
  return fieldsOf(module, () => undefined).children;
}

const registrations = new WeakMap<Callable, Map<string, Registration>>();

/** What was registered by name for this module. */
export function registrationsOf(module: Callable): Map<string, Registration> {
  let map = registrations.get(module);
  if (map === undefined) registrations.set(module, (map = new Map()));
  return map;
}

/** Removes a field and what was registered for it. */
export function forget(module: Callable, field: string): void {
  registrations.get(module)?.delete(field);
  delete (module as unknown as Record<string, unknown>)[field];
}

/** Makes a field one that is computed, which is neither listed nor saved: that is what it is computed from. */
export function compute(module: Callable, field: string, get: () => Tensor, set: (value: Tensor) => void): void {
  forget(module, field);
  Object.defineProperty(module, field, { get, set, enumerable: false, configurable: true });
}

/** The place of a parameter or buffer of a module's own; undefined if it has none in that field. */
export function slotOf(module: Callable, field: string): Slot | undefined {
  const { parameters, buffers } = membersOf(module);
  return [...parameters, ...buffers].find((slot) => slot.field === field && slot.holder === (module as unknown));
}

/**
 * Finds parameters, buffers and submodules in the fields of a module, arrays and plain objects included.
 * @throws ValueError when a plain tensor was assigned over a parameter
 */
export function membersOf(module: Callable): Members {
  return fieldsOf(module, (field) => {
    throw overParameter(module, field);
  });
}

function fieldsOf(module: Callable, onPlainTensor: (field: string) => void): Members {
  const members: Members = { parameters: [], buffers: [], children: [] };
  const registered = registrationsOf(module);
  const holder = module as unknown as Record<string, unknown>;
  for (const field of Object.keys(holder)) {
    const value = holder[field];
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) continue;
    const registration = registered.get(field);
    const key = registration?.key ?? field;
    if (value instanceof Tensor && !(value instanceof Parameter)) {
      if (registration?.kind === 'parameter') onPlainTensor(field);
      if (registration?.kind !== 'buffer') continue;
      members.buffers.push({ key, holder, field, tensor: value, persistent: registration.persistent });
      continue;
    }
    if (value instanceof Tensor && registration?.kind !== 'parameter') {
      registered.set(field, { kind: 'parameter', key, persistent: true });
    }
    collect(members, holder, field, key, value);
  }
  return members;
}

function collect(
  members: Members,
  holder: Record<string, unknown>,
  field: string,
  key: string,
  value: object,
  path: readonly object[] = [],
): void {
  if (value instanceof Callable) members.children.push([key, value as Module]);
  else if (value instanceof Parameter) {
    members.parameters.push({ key, holder, field, tensor: value, persistent: true });
  } else if (isPlain(value) && !path.includes(value)) {
    for (const [name, item] of Object.entries(value)) {
      if (item === null || (typeof item !== 'object' && typeof item !== 'function')) continue;
      collect(members, value, name, `${key}.${name}`, item as object, [...path, value]);
    }
  }
}

/** Arrays and objects without a class; anything else keeps its insides to itself. */
function isPlain(value: object): value is Record<string, unknown> {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function overParameter(module: Callable, field: string): ValueError {
  return new ValueError(
    `cannot assign a plain Tensor as parameter '${field}' of ${module.constructor.name} (nn.Parameter or null ` +
      'expected). Wrap it: new nn.Parameter(tensor), or overwrite the values: ' +
      `noGrad(() => module.${field}.copy_(tensor))`,
    { argument: field },
  );
}
