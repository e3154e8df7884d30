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
  const frames = (new Error('called').stack ?? '').split('\n').slice(1);
  const own = import.meta.url.replace(/^file:\/\//, '');
  // The folder of all packages; each has its code in src or dist.
  const packages = own.replace(/[^/]*\/[^/]*\/[^/]*$/, '');
  const isOwn = (frame: string): boolean => {
    const start = frame.indexOf(packages);
    return start >= 0 && /^[^/]+\/(src|dist)\//.test(frame.slice(start + packages.length));
  };
  return frames.some(isOwn) ? (frames.find((frame) => frame.includes('/') && !isOwn(frame)) ?? null) : null;
}
