import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readModules } from '../src/oracle/files.ts';
import { replayModule } from '../src/oracle/module-replay.ts';
import { root } from '../src/root.ts';

// Calls of PyTorch's modules with the numbers that PyTorch computed, the small ones of a larger set.
const lines = readModules(path.join(root, 'packages/dev/test/data/modules.jsonl.gz'));

describe('a module computes what PyTorch does', () => {
  it.each(lines.map((line) => [line.module, line] as const))('%s', (_, line) => {
    const { failures, unsupported, passed } = replayModule(line);
    expect([...failures, ...unsupported]).toEqual([]);
    expect(passed).toBe(line.samples.length);
  });
});
