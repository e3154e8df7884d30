import { ValueError } from './errors.ts';

/** A name without what distinguishes ways of writing. */
function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** How many letters must be put in, left out or replaced to make one word of the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j]! + (a[i] === b[j] ? 0 : 1), row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/**
 * The name among these that was probably meant: written in another way, or with at most a third of its letters wrong;
 * undefined if there is none.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Math.floor(plain(name).length / 3) + 1;
  for (const candidate of known) {
    const wrong = distance(plain(name), plain(candidate));
    if (wrong < least) [nearest, least] = [candidate, wrong];
  }
  return nearest;
}

/** Whether this is an object that can hold options; a layer, which can be called, is one too. */
function isObject(given: unknown): given is object {
  return (typeof given === 'object' && given !== null && !Array.isArray(given)) || typeof given === 'function';
}

/** Whether an object was written down as one, and is not of a class of its own. */
function isPlain(given: object): boolean {
  const prototype = Object.getPrototypeOf(given) as unknown;
  return prototype === Object.prototype || prototype === null;
}

/** What was given, in a word or two for messages. */
export function described(given: unknown): string {
  if (Array.isArray(given)) return `an array [${given.join(', ')}]`;
  if (typeof given === 'string') return `'${given}'`;
  if (!isObject(given)) return String(given);
  return isPlain(given) ? `an object { ${Object.keys(given).join(', ')} }` : `a ${given.constructor.name}`;
}

/**
 * Refuses what is not an object of options, and options that nobody reads: a misspelt one would be ignored without a word.
 * @param owner who takes the options, as messages call it
 * @param known all names that an option may have
 * @throws ValueError that names the option and the one that was probably meant
 */
export function requireOptions<Options extends object>(
  owner: string,
  given: Options,
  known: readonly (keyof Options & string)[],
): void {
  const names = isObject(given) ? Object.keys(given) : [];
  const unknown = names.filter((name) => !known.includes(name as never));
  if (!isObject(given) || (!isPlain(given) && (unknown.length > 0 || names.length === 0))) {
    const ask = known.length === 0 ? 'there are no further arguments' : `further arguments are options, given by name, as in { ${known[0]}: … }`;
    throw new ValueError(`${owner}: ${ask}; got ${described(given)}`, { op: owner });
  }
  for (const name of unknown) {
    if (given[name as keyof Options] === undefined) continue;
    throw new ValueError(`${owner}: unknown option ${name}. ${hint(owner, name, known)}`, { op: owner, argument: name });
  }
}

/** What to write instead of an option that there is not. */
function hint(owner: string, name: string, known: readonly string[]): string {
  if (name === 'out') return `Results are new tensors here; to write one into memory that is there: out.copy_(${owner}(…))`;
  const meant = nearestName(name, known);
  if (meant !== undefined) return `Did you mean ${meant}?`;
  return known.length === 0 ? `${owner} has no options` : `Options are ${known.join(', ')}`;
}

/** The names of options, as the keys of a table, so that the compiler sees when one is missing. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: 1 };

/** No options given: the default of the parameter, of which there is one, so that nothing is looked at. */
export const none: Readonly<Record<never, never>> = {};

/** What no options have and every tensor does. */
const OF_TENSORS = 'shape';

/**
 * As `requireOptions` for functions, which are called too often to look anything up where nothing is wrong. What has a class of
 * its own, as a layer that passes itself, may hold more than options.
 * @throws ValueError that names the option and the one that was probably meant
 */
export function checkOptions<Options extends object>(owner: string, given: Options, known: OptionNames<Options>): void {
  if (given === none) return;
  let isKnown = false;
  for (const name in given) if (!(isKnown = known[name] === 1)) break;
  if (!isKnown) checkOthers(owner, given, known);
}

/** Lets pass what is not a plain list of options and nevertheless right; apart, since it is rare. */
function checkOthers<Options extends object>(owner: string, given: Options, known: OptionNames<Options>): void {
  if (isObject(given) && !isPlain(given) && !(OF_TENSORS in given)) for (const name in known) if (name in given) return;
  requireOptions(owner, given, Object.keys(known) as (keyof Options & string)[]);
}

/** No options: what PyTorch takes by name (`out`, `sparse_grad`) has no meaning here, and is refused. */
export type NoOptions = Readonly<Record<string, never>>;

/**
 * Refuses options that a function does not have. What else there may be too many is let pass, as in `list.map(exp)`, which
 * calls `exp(x, i, list)`.
 * @throws ValueError that names the option
 */
export function refuseOptions(owner: string, given: unknown): void {
  if (isObject(given)) requireOptions(owner, given, []);
}

/**
 * Refuses anything but numbers where they are given by position: an object of options would become NaN.
 * @param given the arguments by name
 * @throws ValueError that names the argument
 */
export function requireNumbers(owner: string, given: Readonly<Record<string, unknown>>): void {
  for (const name in given) {
    const value = given[name];
    if (typeof value === 'number' || typeof value === 'boolean') continue;
    throw new ValueError(`${owner}: ${name} must be a number, given by position; got ${described(value)}`, { op: owner, argument: name });
  }
}

/** The error for a parameter that is no tensor, such as options in the place of a bias. */
export function notATensor(owner: string, name: string, given: unknown): ValueError {
  return new ValueError(
    `${owner}: ${name} must be a Tensor, or null where there is none; got ${described(given)}. Options go in an object after it`,
    { op: owner, argument: name },
  );
}

// Options that families share.

/** The option of reductions that take nothing else. */
export const keepdimName: { readonly keepdim: 1 } = { keepdim: 1 };

/** The option of what can be computed in another dtype. */
export const dtypeName: { readonly dtype: 1 } = { dtype: 1 };

/** Options of reductions that can be computed in another dtype. */
export const reduceNames: { readonly keepdim: 1; readonly dtype: 1 } = { keepdim: 1, dtype: 1 };

/** Options of what makes tensors. */
export const tensorNames: { readonly dtype: 1; readonly requiresGrad: 1 } = { dtype: 1, requiresGrad: 1 };
