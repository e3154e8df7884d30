import { dtypeInfo, type DType, type TypedArray } from './dtype.ts';
import { MemoryError } from './errors.ts';
import { allocate, blockSize, heapExtent, heapMemory, release, views } from './heap.ts';

/**
 * The bytes behind one or more tensors. The WebAssembly heap is a cache and the JavaScript heap its backing store:
 * a storage is resident (it has an address that kernels use) or on the host (an ordinary typed array, owned by the
 * garbage collector), or neither as long as nothing was written. Storages that were not used for a while are moved
 * to the host by one copy; if nobody holds them any more, that copy is garbage like any other object.
 */
export class Storage {
  readonly byteLength: number;
  /** What the bytes were made to hold; views may read them as nothing else. */
  readonly dtype: DType;
  /** Counts in-place changes; shared by every view of these bytes. */
  version = 0;
  /** Address in the heap, 0 when not resident. */
  address = 0;
  /** The bytes while not resident. */
  host: Uint8Array | null = null;
  /** Tick of the last kernel that used it. */
  lastUse = 0;
  /** Whether the list of resident storages has it. */
  listed = false;
  /** Set by `dispose`: the bytes are gone and reading them is an error. */
  disposed = false;
  /** During a backward pass: how many gradients on their way lie in it. */
  references = 0;
  /** Whether it was made by a backward pass and nobody outside has seen it, so that it may be freed or written to. */
  transient = false;
  /** Whether somebody will hold on to it beyond the scope in which it was made. */
  kept = false;

  constructor(byteLength: number, dtype: DType = 'uint8') {
    this.byteLength = byteLength;
    this.dtype = dtype;
  }
}

const DEFAULT_BUDGET = 2 ** 31;
const FIRST_NURSERY = 16 * 2 ** 20;
const FIRST_COUNT = 1024;
/** Storages of no bytes share this address. */
const EMPTY_ADDRESS = 64;

/** Where storages of results made from here on are listed, while somebody wants to free them. */
let recorder: Storage[] | null = null;

/** A storage for the result of an operation; listed if results are being listed. */
export function resultStorage(byteLength: number, dtype: DType): Storage {
  const storage = new Storage(byteLength, dtype);
  if (recorder !== null) recorder.push(storage);
  return storage;
}

/** Lists the results made from here on in `list` (null: no longer), and returns the list that was used before. */
export function recordStorages(list: Storage[] | null): Storage[] | null {
  const before = recorder;
  recorder = list;
  return before;
}

let now = 1;
let lastSweep = 0;
let budget = DEFAULT_BUDGET;
let nursery = FIRST_NURSERY;
let countLimit = FIRST_COUNT;
let residentBytes = 0;
let bytesSinceSweep = 0;
let countSinceSweep = 0;
let reloadedSinceSweep = 0;
let evictedBytes = 0;
let reloadedBytes = 0;
let resident: Storage[] = [];

/** Starts the next kernel: storages that it touches cannot be moved away until the following one starts. */
export function nextTick(): void {
  now++;
}

/** Makes a storage of bytes that nobody else holds; they are taken over without a copy. */
export function storageOf(bytes: Uint8Array, dtype: DType): Storage {
  const storage = resultStorage(bytes.byteLength, dtype);
  storage.host = bytes;
  return storage;
}

/**
 * The storage's address in the heap, brought there if need be; valid until the next tick.
 * @throws MemoryError if the heap has no room for it
 */
export function addressOf(storage: Storage): number {
  storage.lastUse = now;
  return storage.address !== 0 ? storage.address : makeResident(storage);
}

function makeResident(storage: Storage): number {
  assertAlive(storage);
  const bytes = storage.byteLength;
  if (bytes === 0) return EMPTY_ADDRESS;
  if (bytesSinceSweep > nursery || countSinceSweep > countLimit) sweep();
  const address = allocate(bytes, budget) || allocateUnderPressure(bytes);
  storage.address = address;
  residentBytes += blockSize(bytes);
  bytesSinceSweep += bytes;
  countSinceSweep++;
  if (!storage.listed) {
    storage.listed = true;
    resident.push(storage);
  }
  if (storage.host !== null) {
    views.u8.set(storage.host, address);
    storage.host = null;
    reloadedSinceSweep += bytes;
    reloadedBytes += bytes;
  }
  return address;
}

/** Moves to the host what was not used since the last sweep. When much had to come back, sweeps become rarer. */
function sweep(): void {
  if (reloadedSinceSweep > nursery / 8) nursery = Math.min(nursery * 2, budget / 4);
  evictOlderThan(lastSweep);
  // A sweep looks at every storage in the heap, so there are as many new ones as old ones between two of them.
  countLimit = Math.max(FIRST_COUNT, resident.length);
  // What the kernel about to run uses is not up for the next sweep, which may come before that kernel runs.
  lastSweep = now - 1;
  bytesSinceSweep = 0;
  countSinceSweep = 0;
  reloadedSinceSweep = 0;
}

function evictOlderThan(tick: number): void {
  const kept: Storage[] = [];
  for (const storage of resident) {
    if (storage.address !== 0 && storage.lastUse <= tick) evict(storage);
    if (storage.address !== 0) kept.push(storage);
    else storage.listed = false;
  }
  resident = kept;
}

function evict(storage: Storage): void {
  const { address, byteLength } = storage;
  try {
    storage.host = views.u8.slice(address, address + byteLength);
  } catch {
    throw outOfMemory(byteLength, 'the JavaScript heap, where a tensor that was not used lately was to move,');
  }
  evictedBytes += byteLength;
  freeBlock(storage);
}

function freeBlock(storage: Storage): void {
  release(storage.address, storage.byteLength);
  residentBytes -= blockSize(storage.byteLength);
  storage.address = 0;
}

/** Evicts the least recently used half again and again until the block fits. */
function allocateUnderPressure(bytes: number): number {
  for (;;) {
    const candidates = resident.filter((s) => s.address !== 0 && s.lastUse < now).map((s) => s.lastUse);
    if (candidates.length === 0) throw outOfMemory(bytes);
    candidates.sort((a, b) => a - b);
    evictOlderThan(candidates[candidates.length >> 1]!);
    const address = allocate(bytes, budget);
    if (address !== 0) return address;
  }
}

function outOfMemory(bytes: number, where = `the heap with its budget of ${budget} bytes`): MemoryError {
  const sizes = new Map<string, number>();
  for (const { address, byteLength, dtype } of resident) {
    const kind = `${byteLength / dtypeInfo[dtype].bytes} elements of ${dtype}`;
    if (address !== 0) sizes.set(kind, (sizes.get(kind) ?? 0) + byteLength);
  }
  const largest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 3).map(([kind, held]) => `${kind} (${held} bytes in all)`);
  const holders = largest.length === 0 ? '' : `, most by tensors of ${largest.join(', ')}`;
  return new MemoryError(
    `out of memory: ${bytes} bytes were asked for, but ${where} has no room for them. The operation that runs holds ` +
      `${residentBytes} bytes${holders}. Use smaller batches or setMemoryBudget()`,
  );
}

/**
 * The elements of a storage wherever they are now. The array may lie over the heap: read or write it at once,
 * before anything is allocated, and never hand it to a user.
 */
export function hostArray(storage: Storage, dtype: DType): TypedArray {
  const { bytes, array: TypedArrayOf } = dtypeInfo[dtype];
  storage.lastUse = now;
  if (storage.address !== 0) {
    return new TypedArrayOf(heapMemory().buffer, storage.address, storage.byteLength / bytes);
  }
  assertAlive(storage);
  const host = (storage.host ??= new Uint8Array(storage.byteLength));
  return new TypedArrayOf(host.buffer, host.byteOffset, storage.byteLength / bytes);
}

/** Gives the bytes back at once. Only for storages that nobody can read any more. */
export function freeStorage(storage: Storage): void {
  if (storage.address !== 0) {
    if (poison) views.u8.fill(0xff, storage.address, storage.address + storage.byteLength);
    freeBlock(storage);
  }
  storage.host = null;
  storage.disposed = true;
}

function assertAlive(storage: Storage): void {
  if (storage.disposed) throw new MemoryError('this tensor was disposed of; its values are gone');
}

let poison = false;

/** For tests: fill freed blocks with NaN bytes, so that a use after the end shows. */
export function poisonFreedMemory(on: boolean): void {
  poison = on;
}

/** What the heap holds, in bytes. */
export interface MemoryReport {
  /** In tensors that are in the heap now: in use, or dead and not yet swept. */
  readonly live: number;
  /** The same by dtype; only those that there are. */
  readonly byDType: Readonly<Partial<Record<DType, { readonly bytes: number; readonly tensors: number }>>>;
  /** In free blocks that wait for the next tensors, alignment included. */
  readonly cached: number;
  /** Moved to the JavaScript heap since the start. */
  readonly evicted: number;
  /** Brought back from there since the start. */
  readonly reloaded: number;
  /** Size of the heap itself; it never shrinks. */
  readonly heap: number;
  /** The most that the heap may grow to. */
  readonly budget: number;
}

/**
 * Reports what the heap holds, for looking after memory.
 * @example
 * const before = tg.memory().live;
 * const x = tg.zeros([1000]).add(1);
 * console.log(tg.memory().live - before); // → 8000
 */
export function memory(): MemoryReport {
  const byDType: Partial<Record<DType, { bytes: number; tensors: number }>> = {};
  let live = 0;
  for (const { address, byteLength, dtype } of resident) {
    if (address === 0) continue;
    const entry = (byDType[dtype] ??= { bytes: 0, tensors: 0 });
    entry.bytes += byteLength;
    entry.tensors++;
    live += byteLength;
  }
  const heap = heapExtent();
  return { live, byDType, cached: heap - residentBytes, evicted: evictedBytes, reloaded: reloadedBytes, heap, budget };
}

/**
 * Sets how large the heap may become.
 * @param bytes 1 MiB to 4 GiB, default 2 GiB
 * @throws MemoryError when it is out of that range
 */
export function setMemoryBudget(bytes: number): void {
  if (!(bytes >= 2 ** 20 && bytes <= 2 ** 32)) {
    throw new MemoryError(`setMemoryBudget: ${bytes} bytes is out of range; give 1 MiB (2**20) to 4 GiB (2**32)`);
  }
  budget = bytes;
  nursery = Math.min(nursery, bytes / 4);
}
