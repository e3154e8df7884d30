import { afterEach, describe, expect, it, jest } from '@jest/globals';

const load = async (asked?: string): Promise<() => boolean> => {
  jest.resetModules();
  if (asked === undefined) delete process.env['TAPEGRAD_SIMD'];
  else process.env['TAPEGRAD_SIMD'] = asked;
  return (await import('../src/backend/wasm/multiply-add.ts')).hasRelaxedMadd;
};

afterEach(() => {
  delete process.env['TAPEGRAD_SIMD'];
});

describe('the fused instruction', () => {
  it('is there in every Node, in that of version 20 behind a flag', async () => {
    expect((await load())()).toBe(true);
    expect((await load(''))()).toBe(true);
  });

  it('is left out where TAPEGRAD_SIMD asks for it', async () => {
    expect((await load('strict'))()).toBe(false);
  });

  it('refuses a word that means nothing', async () => {
    expect(await load('fast')).toThrow("the environment variable TAPEGRAD_SIMD is 'fast'; it may be strict, or left out");
  });
});
