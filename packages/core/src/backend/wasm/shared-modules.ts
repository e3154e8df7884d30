import { views } from '../../heap.ts';
import { permanent } from './crew.ts';

/** A compiled kernel. */
export type Kernel = (...args: number[]) => void;

/** A module whose kernels other threads may run. */
interface SharedModule {
  readonly bytes: Uint8Array;
  readonly exports: object;
  /** Where its bytes are in the heap, once a thread has to know it; 0 before. */
  address: number;
}

const modules = new WeakMap<object, SharedModule>();
const places = new WeakMap<object, number>();
const kernels = new Map<number, Kernel>();

/**
 * Remembers how other threads can make a module's functions theirs: from its bytes. Only where it calls nothing but
 * functions of Math, which all threads have.
 */
export function rememberModule(bytes: Uint8Array, imports: Readonly<Record<string, unknown>>, exports: object): void {
  const math = Math as unknown as Readonly<Record<string, unknown>>;
  for (const name in imports) if (imports[name] !== math[name]) return;
  const module: SharedModule = { bytes, exports, address: 0 };
  for (const kernel of Object.values(exports) as object[]) modules.set(kernel, module);
}

/** Whether other threads can run a kernel. */
export function isSharable(kernel: object): boolean {
  return modules.has(kernel);
}

/** The index of the doubles that tell other threads about a kernel: its module's bytes and its place in the exports. */
export function placeOf(kernel: Kernel): number {
  let place = places.get(kernel);
  if (place === undefined) {
    const module = modules.get(kernel)!;
    const { bytes, exports } = module;
    if (module.address === 0) {
      module.address = permanent(bytes.length);
      views.u8.set(bytes, module.address);
    }
    place = permanent(24) / 8;
    views.f64.set([module.address, bytes.length, Object.values(exports).indexOf(kernel)], place);
    places.set(kernel, place);
    kernels.set(place, kernel);
  }
  return place;
}

/** The kernel of a place. */
export function kernelAt(place: number): Kernel {
  return kernels.get(place)!;
}
