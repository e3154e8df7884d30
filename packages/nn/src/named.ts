import { requireOptions, ValueError } from '@tapegrad/core';

/** A value that is given by position, or by name in an object. */
export type Named<Name extends string, Value> = Value | { readonly [N in Name]?: Value | undefined };

/**
 * What was given by position or by name; undefined if nothing was.
 * @throws ValueError when the object has other names
 */
export function valueOf<Name extends string, Value extends number | boolean | null>(
  owner: string,
  name: Name,
  given: Named<Name, Value>,
): Value | undefined {
  if (typeof given !== 'object' || given === null) return given;
  requireOptions<{ readonly [N in Name]?: Value | undefined }>(owner, given, [name]);
  return given[name];
}

/**
 * Refuses a value that an option does not have.
 * @throws ValueError that lists those which it has
 */
export function requireOneOf<Value extends string>(owner: string, option: string, given: Value, known: readonly Value[]): void {
  if (known.includes(given)) return;
  throw new ValueError(`${owner}: ${option} must be one of ${known.map((name) => `'${name}'`).join(', ')}; got '${String(given)}'`, {
    op: owner,
    argument: option,
  });
}
