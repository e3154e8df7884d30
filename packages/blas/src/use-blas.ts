import { DeviceError, getNumThreads, replaceProducts, ValueError } from '@tapegrad/core';
import { candidates } from './candidates.ts';
import { identify, type BlasName, type Library, type SharedLibrary } from './library.ts';
import { blasProduct, isRight } from './product.ts';

/** Which BLAS to use, and how. */
export interface BlasOptions {
  /** Path or name of the library's file. Default: the environment variable `TAPEGRAD_BLAS`, else what is found. */
  library?: string;
  /** Threads that it uses, at least 1; default as many as tapegrad: `getNumThreads()`, also when that changes. */
  threads?: number;
}

/** What `useBlas` found. */
export interface BlasReport {
  /** Which library computes products of matrices from now on; null if none does. */
  readonly name: BlasName | null;
  /** Its version, and the processor that its kernels are for, as far as it tells. */
  readonly version: string;
  /** Its file as it was found; empty if there is none. */
  readonly file: string;
  /** All of it in one line, or why there is none. */
  readonly summary: string;
}

/** The part of koffi that is used. */
interface Loader {
  load(file: string): SharedLibrary;
  address(array: Uint8Array | Float32Array | Float64Array): bigint;
}

/** What undoes the last `useBlas`. */
let restore: (() => void) | null = null;

/**
 * Lets a BLAS that the system has compute products of matrices, those inside convolutions included: OpenBLAS, MKL, BLIS
 * or, on macOS, Accelerate. Results are the same within rounding. Where there is none, and in browsers, nothing changes.
 * The environment variable `TAPEGRAD_BLAS` may name a library, or be `none`.
 *
 * @returns what was found, with one line for people
 * @throws DeviceError when a library was named, by option or variable, and can't be used
 * @throws ValueError when `threads` is not a whole number from 1
 * @example
 * const { name, summary } = await useBlas();
 * console.log(name === null ? summary.startsWith('no BLAS') : summary.startsWith(name)); // → true
 */
export async function useBlas(options: BlasOptions = {}): Promise<BlasReport> {
  const { threads } = options;
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1)) {
    throw new ValueError(`useBlas: threads must be a whole number from 1, got ${threads}`, { op: 'useBlas', argument: 'threads' });
  }
  dropBlas();
  if (typeof process === 'undefined' || process.versions?.node === undefined) return none('only Node can call one');
  const named = options.library ?? process.env['TAPEGRAD_BLAS'] ?? '';
  if (named === 'none') return none('TAPEGRAD_BLAS is none');
  const koffi = await loadKoffi();
  if (koffi === null) {
    if (named === '') return none('koffi, which calls it, is not installed: npm install koffi');
    throw new DeviceError(`useBlas: koffi, which calls ${named}, is not installed: npm install koffi`, { op: 'useBlas' });
  }
  if (named !== '') {
    const library = open(koffi, named);
    if (typeof library !== 'string') return use(library, named, koffi, threads);
    const origin = options.library === undefined ? 'the environment variable TAPEGRAD_BLAS' : 'the option `library`';
    throw new DeviceError(`useBlas: ${named}, which ${origin} names, can't be used: ${library}`, { op: 'useBlas' });
  }
  const { existsSync } = await import('node:fs');
  const refused: string[] = [];
  for (const file of candidates(process.platform, process.env, existsSync)) {
    const library = open(koffi, file);
    if (typeof library !== 'string') return use(library, file, koffi, threads);
    if (library !== ABSENT) refused.push(`${file}: ${library}`);
  }
  return none(['neither OpenBLAS nor MKL nor BLIS nor Accelerate was found', ...refused].join('; '));
}

/** Gives products of matrices back to our own kernels. */
export function dropBlas(): void {
  restore?.();
  restore = null;
}

const ABSENT = 'it could not be loaded';

function none(reason: string): BlasReport {
  return { name: null, version: '', file: '', summary: `no BLAS: ${reason}` };
}

async function loadKoffi(): Promise<Loader | null> {
  try {
    return ((await import('koffi')) as unknown as { default: Loader }).default;
  } catch {
    return null;
  }
}

/** The library in a file, or why it can't be used. */
function open(koffi: Loader, file: string): Library | string {
  let shared: SharedLibrary;
  try {
    shared = koffi.load(file);
  } catch {
    return ABSENT;
  }
  const library = identify(shared);
  if (typeof library === 'string' || isRight(library.gemms, (array) => Number(koffi.address(array)))) return library;
  return `this ${library.name} multiplies wrongly`;
}

function use({ name, version, gemms, setThreads }: Library, file: string, koffi: Loader, threads: number | undefined): BlasReport {
  let current = threads ?? getNumThreads();
  const isSet = setThreads(current);
  const follow = (): void => {
    if (threads !== undefined || current === getNumThreads()) return;
    current = getNumThreads();
    setThreads(current);
  };
  restore = replaceProducts((own, heap) => blasProduct(gemms, own, heap, (array) => Number(koffi.address(array)), follow));
  const count = isSet ? `${current} thread${current === 1 ? '' : 's'}` : 'as many threads as it likes';
  return { name, version, file, summary: [[name, version].filter((part) => part !== '').join(' '), count, file].join(', ') };
}
