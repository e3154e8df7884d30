import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ModuleLine } from './module-replay.ts';
import type { Operator } from './replay.ts';

/** The operators and modules of a file of JSON lines, compressed or not. */
export function readLines(file: string): (Operator | ModuleLine)[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Operator | ModuleLine)
    .filter((line) => ('op' in line || 'module' in line) && Array.isArray(line.samples));
}

/** The operators alone. */
export function readOperators(file: string): Operator[] {
  return readLines(file).filter((line): line is Operator => 'op' in line);
}

/** The modules alone. */
export function readModules(file: string): ModuleLine[] {
  return readLines(file).filter((line): line is ModuleLine => 'module' in line);
}
