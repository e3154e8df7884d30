import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { replayModule, type ModuleLine } from '../src/oracle/module-replay.ts';

// Calls of PyTorch's modules with the numbers that PyTorch computed, the small ones of a larger set.
const lines = gunzipSync(readFileSync(new URL('data/modules.jsonl.gz', import.meta.url)))
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as ModuleLine);

describe('a module computes what PyTorch does', () => {
  it.each(lines.map((line) => [line.module, line] as const))('%s', (_, line) => {
    const { failures, unsupported, passed } = replayModule(line);
    expect([...failures, ...unsupported]).toEqual([]);
    expect(passed).toBe(line.samples.length);
  });
});
