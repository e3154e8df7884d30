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
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const example = known[0] === undefined ? '' : `, as in { ${known[0]}: … }`;
    throw new ValueError(`${owner}: further arguments are options, given by name${example}; got ${String(given)}`, { op: owner });
  }
  for (const name in given) {
    if (known.includes(name) || given[name] === undefined) continue;
    const meant = nearestName(name, known);
    const hint = meant === undefined ? `Options are ${known.join(', ')}` : `Did you mean ${meant}?`;
    throw new ValueError(`${owner}: unknown option ${name}. ${hint}`, { op: owner, argument: name });
  }
}
