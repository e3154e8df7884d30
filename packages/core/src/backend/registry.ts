import { DeviceError } from '../errors.ts';
import type { Backend, Kernels } from './types.ts';

/** Brings a backend's code in when somebody asks for it. */
export type BackendLoader = () => Promise<Backend>;

const missing: Kernels = new Proxy({} as Kernels, {
  get(): never {
    throw new DeviceError(
      'no backend is set; import the package by its main entry, or call setBackend(backend)',
    );
  },
});

/** The backend that kernels run on now; read `active.kernels` at each call and never keep it. */
export const active: { name: string; kernels: Kernels } = { name: 'none', kernels: missing };

let current: Backend = { name: 'none', kernels: missing };
let observe: (kernels: Kernels) => Kernels = (kernels) => kernels;

const loaders = new Map<string, BackendLoader>();

/** The backend that kernels run on now. */
export function currentBackend(): Backend {
  return current;
}

/** Runs all kernels from now on with the given backend. Tensors stay valid: backends share their storages. */
export function setBackend(backend: Backend): void {
  current = backend;
  active.name = backend.name;
  active.kernels = observe(backend.kernels);
}

/** Lets kernels run by way of others that watch them, whatever the backend; null: no longer. */
export function observeKernels(observer: ((kernels: Kernels) => Kernels) | null): void {
  observe = observer ?? ((kernels) => kernels);
  setBackend(current);
}

/** Makes a backend known by name without loading it. */
export function registerBackend(name: string, loader: BackendLoader): void {
  loaders.set(name, loader);
}

/**
 * Loads a backend by its name and makes it the current one.
 * @param name `'wasm'`, `'reference'`, or what was given to `registerBackend`
 * @throws DeviceError when no backend has that name
 */
export async function useBackend(name: 'wasm' | 'reference' | (string & {})): Promise<void> {
  const load = loaders.get(name);
  if (load === undefined) {
    throw new DeviceError(`unknown backend '${name}'; known are ${[...loaders.keys()].join(', ') || 'none'}`);
  }
  setBackend(await load());
}

/** Runs a synchronous function on another backend and returns to the current one, whatever happens. */
export function withBackend<T>(backend: Backend, fn: () => T): T {
  const before = currentBackend();
  setBackend(backend);
  try {
    return fn();
  } finally {
    setBackend(before);
  }
}
