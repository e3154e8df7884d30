import { MemoryError } from './errors.ts';
import { views } from './heap.ts';
import type { SizeClass } from './pages.ts';
import type { Storage } from './storage.ts';

/**
 * Bytes that are in the heap or on the host and move between the two together: those of one large storage, or a page of
 * many small ones.
 */
export class Block {
  /** Address in the heap, 0 when the bytes are not there. */
  address = 0;
  /** Tick of the last kernel that used them. */
  lastUse = 0;
  /** The bytes while they are not in the heap; null if none were written. */
  host: Uint8Array | null;
  /** What it takes in the heap. */
  readonly size: number;
  /** For pages: what sort they are of. */
  readonly sort: SizeClass | null;
  /** For others: whose bytes they are. */
  readonly storage: Storage | null;
  /** Bytes of storages in it, and how many these are. */
  held = 0;
  storages = 0;
  /** How far a page has been handed out. */
  end = 0;

  constructor(size: number, host: Uint8Array | null, sort: SizeClass | null, storage: Storage | null) {
    this.size = size;
    this.host = host;
    this.sort = sort;
    this.storage = storage;
  }
}

/** Where storages are before anything is written to them. */
export const NOWHERE: Block = new Block(0, null, null, null);

/** Where storages are that were disposed of. */
export const GONE: Block = new Block(0, null, null, null);

/** Number of the kernel that runs or runs next: blocks that it touches cannot be moved away until the following one starts. */
export let now = 1;

/** Starts the next kernel. */
export function nextTick(): void {
  now++;
}

/** What was moved since the start, in bytes. */
export const moved: { evicted: number; reloaded: number } = { evicted: 0, reloaded: 0 };

/**
 * Copies bytes of the heap to the JavaScript heap.
 * @throws MemoryError when that is full
 */
export function copyOut(address: number, bytes: number): Uint8Array {
  const host = hostBytes(bytes);
  host.set(views.u8.subarray(address, address + bytes));
  return host;
}

/**
 * Room for so many bytes in the JavaScript heap.
 * @throws MemoryError when that is full
 */
export function hostBytes(bytes: number): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch {
    throw new MemoryError(
      `out of memory: ${bytes} bytes were asked for, but the JavaScript heap, where tensors that were not used lately were to ` +
        'move, has no room for them. Use smaller batches or setMemoryBudget()',
    );
  }
}
