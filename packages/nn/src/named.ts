import { requireOptions } from '@tapegrad/core';

/** A value that is given by position, or by name in an object. */
export type Named<Name extends string, Value> = Value | { readonly [N in Name]?: Value | undefined };

/**
 * What was given by position or by name; undefined if nothing was.
 * @throws ValueError when the object has other names
 */
export function valueOf<Name extends string, Value extends number | null>(
  owner: string,
  name: Name,
  given: Named<Name, Value>,
): Value | undefined {
  if (typeof given !== 'object' || given === null) return given;
  requireOptions<{ readonly [N in Name]?: Value | undefined }>(owner, given, [name]);
  return given[name];
}
