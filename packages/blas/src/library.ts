import type { Gemm, Gemms } from './product.ts';

/** Libraries that are known. */
export type BlasName = 'OpenBLAS' | 'MKL' | 'BLIS' | 'Accelerate';

/** A loaded shared library. */
export interface SharedLibrary {
  /**
   * A function by its declaration in C.
   * @throws Error when the library has none of that name
   */
  func(declaration: string): (...args: never[]) => unknown;
}

/** A library that can be used. */
export interface Library {
  readonly name: BlasName;
  /** Version and the processor that its kernels are for, as far as it tells. */
  readonly version: string;
  readonly gemms: Gemms;
  /** Sets how many threads it uses; false if it can't be told. */
  setThreads(threads: number): boolean;
}

/** Calls a function of the library. */
type Call = (declaration: string, ...args: unknown[]) => unknown;

/** How to tell a library, and how to talk to it. */
interface Kind {
  readonly name: BlasName;
  /** A function that no other library has. */
  readonly sign: string;
  version(call: Call): string;
  /** Whether its integers have 64 bits, which is another interface under the same names. */
  hasLongIntegers(call: Call): boolean;
  setThreads(call: Call, threads: number): void;
}

const LONG_INTEGERS_OF_MKL = 1;

const kinds: readonly Kind[] = [
  {
    name: 'OpenBLAS',
    sign: 'const char *openblas_get_config()',
    version: (call) => {
      const config = String(call('const char *openblas_get_config()'));
      const core = String(call('const char *openblas_get_corename()'));
      return `${/OpenBLAS (\S+)/.exec(config)?.[1] ?? ''} (${core})`.trim();
    },
    hasLongIntegers: (call) => String(call('const char *openblas_get_config()')).includes('USE64BITINT'),
    setThreads: (call, threads) => call('void openblas_set_num_threads(int count)', threads),
  },
  {
    name: 'MKL',
    sign: 'void MKL_Get_Version_String(char *text, int length)',
    version: (call) => {
      const text = new Uint8Array(200);
      call('void MKL_Get_Version_String(char *text, int length)', text, text.length);
      return /Version (\S+)/.exec(String.fromCharCode(...text))?.[1] ?? '';
    },
    // Asks for 32 bits, which works until somebody has chosen; the answer is what holds.
    hasLongIntegers: (call) => (Number(call('int MKL_Set_Interface_Layer(int layer)', 0)) & LONG_INTEGERS_OF_MKL) !== 0,
    setThreads: (call, threads) => call('void MKL_Set_Num_Threads(int count)', threads),
  },
  {
    name: 'BLIS',
    sign: 'const char *bli_info_get_version_str()',
    version: (call) => String(call('const char *bli_info_get_version_str()')),
    hasLongIntegers: (call) => Number(call('int64_t bli_info_get_blas_int_type_size()')) === 64,
    setThreads: (call, threads) => call('void bli_thread_set_num_threads(int64_t count)', threads),
  },
  {
    name: 'Accelerate',
    sign: 'void vDSP_vadd()',
    version: () => '',
    hasLongIntegers: () => false,
    setThreads: (call, threads) => call('int BLASSetThreading(int mode)', threads > 1 ? 0 : 1),
  },
];

/**
 * Says which BLAS a shared library is.
 * @returns what to use it by, or in one clause why it can't be used
 */
export function identify(shared: SharedLibrary): Library | string {
  const functions = new Map<string, (...args: unknown[]) => unknown>();
  const find = (declaration: string): ((...args: unknown[]) => unknown) => {
    const known = functions.get(declaration) ?? (shared.func(declaration) as (...args: unknown[]) => unknown);
    functions.set(declaration, known);
    return known;
  };
  const has = (declaration: string): boolean => attempt(() => find(declaration)) !== null;
  const call: Call = (declaration, ...args) => find(declaration)(...args);

  const kind = kinds.find(({ sign }) => has(sign));
  if (kind === undefined) {
    return `it is none of ${kinds.map(({ name }) => name).join(', ')}, and others are slower than our own kernels`;
  }
  const { name } = kind;
  const [single, double] = [declarationOf('cblas_sgemm', 'float'), declarationOf('cblas_dgemm', 'double')];
  if (!has(single) || !has(double)) return `this ${name} was built without CBLAS`;
  if (kind.hasLongIntegers(call)) return `this ${name} takes 64-bit integers; only those with 32-bit integers can be used`;
  const gemms: Gemms = { float32: find(single) as Gemm, float64: find(double) as Gemm };
  const setThreads = (threads: number): boolean => attempt(() => (kind.setThreads(call, threads), true)) ?? false;
  return { name, version: attempt(() => kind.version(call)) ?? '', gemms, setThreads };
}

/** A product in C, with addresses as the numbers that they are: nothing is converted. */
function declarationOf(name: string, type: string): string {
  const lines = ['a', 'b', 'c'].map((matrix) => [`uintptr_t ${matrix}`, `int ${matrix}Line`].join(', '));
  const sizes = 'int order, int aLies, int bLies, int m, int n, int k';
  return `void ${name}(${sizes}, ${type} alpha, ${lines[0]}, ${lines[1]}, ${type} beta, ${lines[2]})`;
}

function attempt<T>(body: () => T): T | null {
  try {
    return body();
  } catch {
    return null;
  }
}
