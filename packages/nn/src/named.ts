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
 * What was given by position, or all of it by name in the place of the first.
 * @param further options that stand behind what is given by position
 * @throws ValueError when there are other names
 */
export function together<Options extends object>(
  owner: string,
  first: number | Options,
  positional: { readonly [N in keyof Options]?: Options[N] | number | Options },
  known: readonly (keyof Options & string)[],
  further: Partial<Options> = {},
): Options {
  const given = (typeof first === 'object' ? first : further) as Options;
  requireOptions(owner, given, known);
  return typeof first === 'object' ? first : ({ ...positional, ...further } as Options);
}

/**
 * Refuses a value that an option does not have.
 * @throws ValueError that lists those which it has
 */
export function requireOneOf<Value extends string>(owner: string, option: string, given: Value, known: readonly Value[]): void {
  if (known.includes(given)) return;
  const names = known.map((name) => `'${name}'`);
  const list = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  throw new ValueError(`${owner}: ${option} must be ${list}, got '${String(given)}'`, { op: owner, argument: option });
}

/**
 * Refuses sizes that are no whole numbers, as when they are given by name.
 * @throws ValueError that names them all
 */
export function requireSizes(owner: string, sizes: Readonly<Record<string, number>>): void {
  const given = Object.values(sizes);
  if (given.every((size) => Number.isInteger(size) && size >= 0)) return;
  const names = Object.keys(sizes);
  const are = names.length === 1 ? 'is a whole number' : 'are whole numbers';
  throw new ValueError(`${owner}: ${names.join(' and ')} ${are}, given by position before the options; got ${given.map(String).join(', ')}`, {
    argument: names[0]!,
  });
}
