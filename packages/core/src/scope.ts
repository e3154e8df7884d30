import { ModeScope } from './modes.ts';
import { freeStorage, recordStorages, type Storage } from './storage.ts';
import { Tensor } from './tensor.ts';

/**
 * Runs `body` and then gives the memory of every tensor made inside back at once, but for those that it returns (alone or
 * in arrays, plain objects, maps and sets), the gradients of leaves, and what `keep` was told of. Called without an
 * argument it opens such a scope for `using`. Nobody needs it: memory is looked after anyway. It saves a copy of large
 * results that would otherwise be moved away while nobody knows that they are dead. Put it around one step of a loop.
 * @throws MemoryError later, when a tensor that was given back is used
 * @example
 * const y = tg.scope(() => {
 *   const x = tg.ones([3]);
 *   return x.add(1).mul(2);
 * });
 * console.log(y.sum().item()); // → 12
 * @source tf.tidy
 */
export function scope(): ModeScope;
export function scope<T>(body: () => T): T;
export function scope<T>(body?: () => T): T | ModeScope {
  const made: Storage[] = [];
  const before = recordStorages(made);
  const leave = (result: unknown): void => {
    recordStorages(before);
    const returned = storagesIn(result);
    for (let i = 0; i < made.length; i++) {
      const storage = made[i]!;
      if (storage.kept || storage.disposed) continue;
      if (returned !== null && returned.has(storage)) before?.push(storage);
      else freeStorage(storage);
    }
  };
  if (body === undefined) return new ModeScope(() => leave(undefined));
  let result: unknown;
  try {
    result = body();
  } finally {
    leave(result);
  }
  return result as T;
}

/** Takes a tensor out of the hands of the scopes around, and returns it. */
export function keep<X extends Tensor>(x: X): X {
  x.storage.kept = true;
  return x;
}

/** The storages of all tensors inside a value; null where there can be none. */
function storagesIn(value: unknown): Set<Storage> | null {
  if (typeof value !== 'object' || value === null) return null;
  const found = new Set<Storage>();
  collect(value, found, new Set());
  return found;
}

function collect(value: unknown, found: Set<Storage>, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Tensor) {
    found.add(value.storage);
    if (value.gradient !== null) found.add(value.gradient.storage);
  } else if (value instanceof Map || value instanceof Set || Array.isArray(value)) {
    for (const item of value instanceof Map ? value.values() : (value as Iterable<unknown>)) collect(item, found, seen);
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) collect(item, found, seen);
  }
}
