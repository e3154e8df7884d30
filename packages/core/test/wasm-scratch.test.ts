import { describe, expect, it } from '@jest/globals';
import { Scratch } from '../src/backend/wasm/scratch.ts';
import { nextTick, recordStorages, type Storage } from '../src/storage.ts';

describe('scratch memory', () => {
  it('is not among the storages that a scope frees', () => {
    const scratch = new Scratch();
    const listed: Storage[] = [];
    const before = recordStorages(listed);
    scratch.take(100);
    recordStorages(before);
    expect(listed).toEqual([]);
    nextTick();
    expect(scratch.take(50)).toBeGreaterThan(0);
  });
});
