import type { Tensor } from './tensor.ts';

const given = new Set<string>();
let enabled = true;

/**
 * Whether mistakes that are likely, but not certain, are pointed out on the console; on at first.
 * @example
 * tg.setWarnings(false);
 */
export function setWarnings(on: boolean): void {
  enabled = on;
}

/**
 * Points out a likely mistake, with the line of the caller that led to it: once per program for each key.
 * @param key what it is about, such as the operation and the mistake
 * @param message a sentence on what was seen and one on what to do
 */
export function warnOnce(key: string, message: string): void {
  if (!enabled || given.has(key)) return;
  given.add(key);
  const site = callerSite();
  console.warn(`tapegrad: ${message}${site === null ? '' : `\n${site}`}`);
}

/** The first frame outside of the packages of this library, where frames tell. */
function callerSite(): string | null {
  const traces = Error as { stackTraceLimit?: number };
  const limit = traces.stackTraceLimit;
  // A model calls its parts, which call theirs.
  if (limit !== undefined) traces.stackTraceLimit = 100;
  const frames = (new Error('called').stack ?? '').split('\n').slice(1);
  if (limit !== undefined) traces.stackTraceLimit = limit;
  const own = import.meta.url.replace(/^file:\/\//, '');
  // The folder of all packages; each has its code in src or dist.
  const packages = own.replace(/[^/]*\/[^/]*\/[^/]*$/, '');
  const isOwn = (frame: string): boolean => {
    const start = frame.indexOf(packages);
    return start >= 0 && /^[^/]+\/(src|dist)\//.test(frame.slice(start + packages.length));
  };
  return frames.some(isOwn) ? (frames.find((frame) => frame.includes('/') && !isOwn(frame)) ?? null) : null;
}

/**
 * Looks at the parameters that an optimizer is about to change, on behalf of whoever knows the model.
 * @param name the optimizer's, as messages call it
 * @returns whether it need not look again
 */
export type StepWatch = (name: string, params: readonly Tensor[]) => boolean;

/** What is known of optimizers to those that point out mistakes of training loops; optim fills it in. @internal */
export const optimizing: {
  /** All parameters that an optimizer was ever given. */
  readonly params: WeakSet<Tensor>;
  /** What is to look at the next step. */
  watches: StepWatch[];
} = { params: new WeakSet(), watches: [] };
