import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Operator } from './replay.ts';

/** The operators of a file of JSON lines, compressed or not. */
export function readOperators(file: string): Operator[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Operator)
    .filter((line) => typeof line.op === 'string' && Array.isArray(line.samples));
}
