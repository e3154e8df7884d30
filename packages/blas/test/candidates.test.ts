import { describe, expect, it } from '@jest/globals';
import { candidates } from '../src/candidates.ts';

const nothing = (): boolean => false;

describe('where a BLAS is looked for', () => {
  it.each(['linux', 'darwin', 'win32', 'freebsd'])('begins with names that the loader of %s knows', (platform) => {
    const names = candidates(platform, {}, nothing);
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names).size).toBe(names.length);
    expect(names.some((name) => /openblas/.test(name))).toBe(true);
    // The plain one of Netlib is slower than our kernels, and builds with 64-bit integers have another interface.
    for (const name of names) expect(name).not.toMatch(/(^|\/)(lib)?blas\.|64/);
  });

  it('prefers what macOS brings', () => {
    expect(candidates('darwin', {}, nothing)[0]).toMatch(/Accelerate$/);
  });

  it('goes on with files that are there, first those of conda and MKL', () => {
    const there = ['/conda/lib/libopenblas.so.0', '/usr/local/lib/libblis.so.4'];
    const found = candidates('linux', { CONDA_PREFIX: '/conda', MKLROOT: '' }, (path) => there.includes(path));
    expect(found.slice(-2)).toEqual(there);
    expect(found.filter((name) => name.includes('/'))).toEqual(there);
  });
});
