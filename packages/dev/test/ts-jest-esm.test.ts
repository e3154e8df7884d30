import { describe, expect, it } from '@jest/globals';

describe('the test environment', () => {
  it('runs TypeScript as native modules', () => {
    const url: string = import.meta.url;
    expect(url).toMatch(/ts-jest-esm\.test\.ts$/);
  });
});
