import { nearestName, requireOptions, Tensor, ValueError } from '@tapegrad/core';

/** How an error calls an option, and which numbers it may be. */
type Range = readonly [called: string, allows: (value: number) => boolean];

const notNegative = (value: number): boolean => value >= 0;
const proper = (value: number): boolean => value >= 0 && value < 1;

/** What options may be in every optimizer that has them; of a pair, each of the two. */
const ranges: Readonly<Record<string, Range>> = {
  lr: ['learning rate', notNegative],
  eps: ['epsilon value', notNegative],
  betas: ['beta parameter', proper],
  weightDecay: ['weight_decay value', notNegative],
  momentum: ['momentum value', notNegative],
  alpha: ['alpha value', notNegative],
  rho: ['rho value', (value) => value >= 0 && value <= 1],
  lrDecay: ['lr_decay value', notNegative],
  momentumDecay: ['momentum_decay value', notNegative],
  initialAccumulatorValue: ['initial_accumulator_value value', notNegative],
};

const fused = 'each parameter is changed by one kernel anyway; leave it out';

/** PyTorch's options that are not here, and why. */
const absent: Readonly<Record<string, string>> = {
  foreach: fused,
  fused,
  capturable: fused,
  differentiable: 'steps are not recorded; write the step in tensor operations to differentiate through it',
  verbose: 'log getLastLr() instead',
};

/** Options without those of PyTorch's that are not here. @throws ValueError with the reason, unless they are switched off */
function withoutAbsent<Options extends object>(owner: string, options: Options): Options {
  if (typeof options !== 'object' || options === null) return options;
  const entries = Object.entries(options).filter(([name, value]) => {
    if (!Object.hasOwn(absent, name)) return true;
    if (value) throw new ValueError(`${owner}: there is no option ${name}: ${absent[name]}`);
    return false;
  });
  return Object.fromEntries(entries) as Options;
}

/** Refuses options of a schedule that it does not have. @throws ValueError naming the option that was probably meant */
export function requireKnown(owner: string, options: object, known: readonly string[]): void {
  requireOptions(owner, withoutAbsent(owner, options) as Record<string, unknown>, known);
}

/** Refuses options that are out of range. @throws ValueError naming the option and its value */
export function requireInRange(options: object): void {
  for (const [key, value] of Object.entries(options)) {
    const range = ranges[key];
    if (range === undefined) continue;
    const [called, allows] = range;
    if (typeof value === 'number') requireValid(allows(value), called, value);
    else if (Array.isArray(value)) {
      value.forEach((part: number | null, i) => requireValid(part === null || allows(part), `${called} at index ${i}`, part));
    } else if (value instanceof Tensor) throw new ValueError(`Invalid ${called}: a Tensor, which steps do not read; give its item()`);
    else requireValid(false, called, value);
  }
}

/** Refuses an option that is out of range. @throws ValueError */
export function requireValid(ok: boolean, what: string, value: unknown): void {
  if (!ok) throw new ValueError(`Invalid ${what}: ${String(value)}`);
}

/**
 * The defaults with what was given in their place; what was given as undefined counts as not given.
 * @param extras whether names that no option resembles are kept, as those that a user puts into groups
 * @throws ValueError when an option is unknown: a misspelt one would be ignored without a word
 */
export function withDefaults<Options extends object>(defaults: Options, given: Partial<Options>, extras = false): Options {
  const known = Object.keys(defaults) as (keyof Options & string)[];
  if (typeof given !== 'object' || given === null) requireOptions('an optimizer', given as object as Options, known);
  const entries = Object.entries(withoutAbsent('an optimizer', given)).filter(([, value]) => value !== undefined);
  for (const [key] of entries) {
    if (Object.hasOwn(defaults, key)) continue;
    const meant = nearestName(key, known);
    if (extras && meant === undefined) continue;
    const hint = meant === undefined ? `Options are ${known.join(', ')}` : `Did you mean ${meant}?`;
    throw new ValueError(`unknown option ${key} of an optimizer. ${hint}`);
  }
  return { ...defaults, ...(Object.fromEntries(entries) as Partial<Options>) };
}
