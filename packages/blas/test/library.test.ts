import { describe, expect, it } from '@jest/globals';
import { identify, type SharedLibrary } from '../src/library.ts';

type Functions = Readonly<Record<string, (...args: never[]) => unknown>>;

const products: Functions = { cblas_sgemm: () => {}, cblas_dgemm: () => {} };

/** A library that has these functions. */
function shared(functions: Functions): SharedLibrary {
  return {
    func: (declaration) => {
      const name = /(\w+)\(/.exec(declaration)![1]!;
      const found = functions[name];
      if (found === undefined) throw new Error(`no ${name}`);
      return found;
    },
  };
}

const openblas = (config: string, more: Functions = {}): Functions => ({
  ...products,
  openblas_get_config: () => config,
  openblas_get_corename: () => 'Zen',
  ...more,
});

function writeText(text: Uint8Array): void {
  text.set(new TextEncoder().encode('Intel(R) oneAPI Math Kernel Library Version 2024.1-Product Build\0'));
}

const mkl = (layer: number): Functions => ({
  ...products,
  MKL_Get_Version_String: writeText,
  MKL_Set_Interface_Layer: () => layer,
  MKL_Set_Num_Threads: () => {},
});

const blis = (size: number): Functions => ({
  ...products,
  bli_info_get_version_str: () => '0.9.0',
  bli_info_get_blas_int_type_size: () => size,
  bli_thread_set_num_threads: () => {},
});

describe('a shared library', () => {
  it.each([
    ['OpenBLAS', '0.3.21 (Zen)', openblas('OpenBLAS 0.3.21 DYNAMIC_ARCH Zen MAX_THREADS=64')],
    ['OpenBLAS', '(Zen)', openblas('NO_LAPACK')],
    ['MKL', '2024.1-Product', mkl(2)],
    ['BLIS', '0.9.0', blis(32)],
    ['Accelerate', '', { ...products, vDSP_vadd: () => {} }],
  ])('is told to be %s %s', (name, version, functions) => {
    expect(identify(shared(functions))).toMatchObject({ name, version });
  });

  it.each([
    ['64-bit integers in OpenBLAS', openblas('OpenBLAS 0.3.21 USE64BITINT Zen'), /OpenBLAS takes 64-bit integers/],
    ['64-bit integers in MKL', mkl(3), /MKL takes 64-bit integers/],
    ['64-bit integers in BLIS', blis(64), /BLIS takes 64-bit integers/],
    ['only the interface of Fortran', { openblas_get_config: () => '' }, /without CBLAS/],
    ['nothing that tells which it is', products, /none of OpenBLAS, MKL, BLIS, Accelerate/],
  ])('is refused when it has %s', (_what, functions, reason) => {
    expect(identify(shared(functions))).toMatch(reason);
  });

  it('gets the number of threads, where it can be told', () => {
    const told: number[] = [];
    const library = identify(shared(openblas('', { openblas_set_num_threads: (count: number) => told.push(count) })));
    expect(library).toMatchObject({ name: 'OpenBLAS' });
    if (typeof library === 'string') throw new Error(library);
    expect(library.setThreads(3)).toBe(true);
    expect(told).toEqual([3]);
    const silent = identify(shared({ ...products, vDSP_vadd: () => {} }));
    expect(typeof silent === 'string' || silent.setThreads(1)).toBe(false);
  });
});
