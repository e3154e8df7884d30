import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';

interface Factory {
  createTransformer(config: object): Record<string, unknown>;
}

describe('the test environment', () => {
  it('runs TypeScript as native modules', () => {
    expect(import.meta.url).toMatch(/ts-jest-esm\.test\.ts$/);
  });

  it('hides the synchronous transform, in which errors are lost', () => {
    const factory = createRequire(import.meta.url)('../ts-jest-esm.cjs') as Factory;
    const transformer = factory.createTransformer({});
    expect(transformer).not.toHaveProperty('process');
    expect(transformer).toHaveProperty('processAsync');
  });
});
