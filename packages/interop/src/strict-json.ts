import { FormatError, quote } from './errors.ts';

/** Characters of a JSON text that are structure, or a whole string. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g;

/**
 * Parses a JSON text that must be one object in which no object names a key twice.
 *
 * @param text the JSON text
 * @param what the subject of the error messages, such as `The header`
 * @throws FormatError when the text is not JSON, not an object, or repeats a key
 */
export function parseObject(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FormatError(`${what} is not valid JSON, as it must be.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError(`${what} is not a JSON object, as it must be.`);
  }
  const repeated = repeatedKey(text);
  if (repeated !== null)
    throw new FormatError(`${what} names ${quote(repeated)} twice; each name may occur once.`);
  return value as Record<string, unknown>;
}

/**
 * JSON.parse keeps the last of equal keys silently; this finds the first that repeats, in a text known to
 * be valid.
 */
function repeatedKey(text: string): string | null {
  const open: (Set<string> | null)[] = [];
  let previous = '';
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const keys = open[open.length - 1]!;
      const key = JSON.parse(previous) as string;
      if (keys.has(key)) return key;
      keys.add(key);
    }
    previous = token;
  }
  return null;
}
