import { FormatError } from './errors.ts';

/** The key of an object that stands for a number which JSON has no way to write. */
const NUMBER = '$number';

/**
 * A value as JSON text that reads back as the same value, -0, NaN and the infinities included. Fields that are
 * undefined are left out.
 *
 * @throws FormatError when something in it is neither a number, text, boolean or null nor an array or plain object
 */
export function packJson(value: unknown): string {
  return JSON.stringify(pack(value, ''));
}

function pack(value: unknown, path: string): unknown {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    return { [NUMBER]: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((item, i) => pack(item, `${path}[${i}]`));
  if (typeof value !== 'object' || !isPlain(value)) {
    const what = typeof value === 'object' ? (value.constructor as { name: string }).name : typeof value;
    throw new FormatError(`The value ${path.slice(1)} is a ${what}, which a checkpoint cannot hold there.`);
  }
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([key, field]) => [key, pack(field, `${path}.${key}`)]));
}

/** Whether an object is of no class, whichever realm made it: a copy by structuredClone may be of another one. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The value that `packJson` wrote, from parsed JSON. */
export function unpackJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(unpackJson);
  const fields = Object.entries(value);
  if (fields.length === 1 && fields[0]![0] === NUMBER) return Number(fields[0]![1]);
  return Object.fromEntries(fields.map(([key, field]) => [key, unpackJson(field)]));
}
