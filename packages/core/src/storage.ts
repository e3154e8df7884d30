import { collectGarbage } from './collector.ts';
import { dtypeInfo, type DType, type TypedArray } from './dtype.ts';
import { MemoryError } from './errors.ts';
import { allocate, blockSize, heapExtent, heapMemory, release, views } from './heap.ts';

/**
 * The bytes behind one or more tensors. The WebAssembly heap is a cache and the JavaScript heap its backing store:
 * a storage is resident (it has an address that kernels use) or on the host (an ordinary typed array, owned by the
 * garbage collector), or neither as long as nothing was written. Storages that were not used for a while are moved
 * to the host by one copy; if nobody holds them any more, that copy is garbage like any other object. Large ones are
 * given back without a copy where the garbage collector can be asked whether anybody holds them.
 */
export class Storage {
  readonly byteLength: number;
  /** What the bytes were made to hold; views may read them as nothing else. */
  readonly dtype: DType;
  /** Counts in-place changes; shared by every view of these bytes. */
  version = 0;
  /** Address in the heap, 0 when not resident. */
  address = 0;
  /** Where the bytes are while not resident, and from where on. */
  host: Uint8Array | null = null;
  hostOffset = 0;
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
  /** For large ones: what lives as long as any tensor of these bytes does. */
  owner: WeakRef<object> | null = null;
  /** Whether somebody will hold on to it beyond the scope in which it was made. */
  kept = false;

  constructor(byteLength: number, dtype: DType = 'uint8') {
    this.byteLength = byteLength;
    this.dtype = dtype;
  }
}

const DEFAULT_BUDGET = 2 ** 31;
/** From this size on it is worth knowing whether a storage is dead. */
const LARGE_BYTES = 2 ** 14;
/** Large storages are looked through when they have grown by so many bytes; where they are moved, later if they come back. */
const FIRST_NURSERY = 2 ** 26;
const FIRST_COUNT = 1024;
/** Small storages are looked through the sooner the more they hold, so that those that follow find the cache warm. */
const SMALL_NURSERY = 2 ** 18;
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

/** Storages in the heap, and how many more there are since they were last looked through. */
class Residents {
  /**
   * The first `size` entries; the rest is null. It never shrinks, since arrays that are given up here are old for the
   * collector, which would take all that is in them for alive as long as it looks at young objects only.
   */
  private readonly list: (Storage | null)[] = [];
  size = 0;
  /** What was not used since this tick is old. */
  lastSweep = 0;
  /** Bytes that came in and were not given back since. */
  growth = 0;
  /** Storages that came in. */
  count = 0;
  /** Bytes that came back from the host. */
  reloaded = 0;

  add(storage: Storage): void {
    if (this.size === this.list.length) this.list.push(storage);
    else this.list[this.size] = storage;
    this.size++;
  }

  /** Frees the dead and moves the old to the host, as `leave` says; forgets those that are gone. */
  sweep(leave: (storage: Storage, isOld: boolean) => void): void {
    const { list, size, lastSweep } = this;
    let kept = 0;
    for (let i = 0; i < size; i++) {
      const storage = list[i]!;
      if (storage.address !== 0) leave(storage, storage.lastUse <= lastSweep);
      storage.listed = storage.address !== 0;
      if (storage.listed) list[kept++] = storage;
    }
    list.fill(null, kept, size);
    this.size = kept;
    // What the kernel about to run uses is not up for the next sweep, which may come before that kernel runs.
    this.lastSweep = now - 1;
    this.growth = this.count = this.reloaded = 0;
  }

  /** Those that are in the heap now. */
  present(): Storage[] {
    return this.list.filter((storage): storage is Storage => storage !== null && storage.address !== 0);
  }
}

const small = new Residents();
const large = new Residents();

let now = 1;
let budget = DEFAULT_BUDGET;
let nursery = FIRST_NURSERY;
let countLimit = FIRST_COUNT;
let residentBytes = 0;
let evictedBytes = 0;
let reloadedBytes = 0;

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
  const residents = residentsOf(storage);
  if (residents === large) {
    if (large.growth > nursery) sweepLarge();
  } else if (small.count > countLimit || (small.growth > SMALL_NURSERY && small.count > countLimit / 4)) sweepSmall();
  const address = allocate(bytes, budget) || allocateUnderPressure(bytes);
  storage.address = address;
  residentBytes += blockSize(bytes);
  residents.growth += bytes;
  residents.count++;
  if (!storage.listed) {
    storage.listed = true;
    residents.add(storage);
  }
  if (storage.host !== null) {
    const { host, hostOffset } = storage;
    views.u8.set(host.length === bytes ? host : host.subarray(hostOffset, hostOffset + bytes), address);
    storage.host = null;
    storage.hostOffset = 0;
    residents.reloaded += bytes;
    reloadedBytes += bytes;
  }
  return address;
}

function residentsOf(storage: Storage): Residents {
  return storage.byteLength < LARGE_BYTES ? small : large;
}

function sweepSmall(): void {
  const { count } = small;
  small.sweep(evictIfOld);
  // A sweep looks at every storage in its list, so as many come in between two of them as are there to stay.
  countLimit = Math.max(FIRST_COUNT, small.size - count);
}

function evictIfOld(storage: Storage, isOld: boolean): void {
  if (isOld) evict(storage);
}

/**
 * Gives back what is dead. Where that can't be known, what is old moves to the host; when much of it had to come back,
 * sweeps become rarer.
 */
function sweepLarge(): void {
  const reloads = large.reloaded;
  if (sweepDead()) return;
  if (reloads > nursery / 8) nursery = Math.min(nursery * 2, budget / 4);
  large.sweep((storage, isOld) => (isDead(storage) ? freeStorage(storage) : evictIfOld(storage, isOld)));
}

/**
 * To copy a byte to the host costs about as much as so long a collection: it takes a quarter of a nanosecond, leaves garbage
 * behind, and lets the process grow.
 */
const COPY_NANOSECONDS = 2;
/** A larger part of the time may go into asking what is dead only where copying would take longer. */
const LARGEST_SHARE = 0.05;
const RETRY_SWEEPS = 8;
let lastAsked = 0;
let sweepsToSkip = 0;

/**
 * Asks the garbage collector which old storages are dead and frees them; false where it can't tell, or took longer lately
 * than copying would.
 */
function sweepDead(): boolean {
  if (sweepsToSkip > 0 && sweepsToSkip-- > 0) return false;
  const start = performance.now();
  if (!collectGarbage()) return false;
  freed = 0;
  large.sweep(freeIfDead);
  const end = performance.now();
  const isCostly = end - start > LARGEST_SHARE * (end - lastAsked) && (end - start) * 1e6 > freed * COPY_NANOSECONDS;
  lastAsked = end;
  if (isCostly) sweepsToSkip = RETRY_SWEEPS;
  return true;
}

/** Bytes that the sweep which runs has freed. */
let freed = 0;

function freeIfDead(storage: Storage, isOld: boolean): void {
  if (!isOld) return;
  if (storage.owner === null) evict(storage);
  else if (isDead(storage)) {
    freed += storage.byteLength;
    freeStorage(storage);
  }
}

function isDead({ owner }: Storage): boolean {
  return owner !== null && owner.deref() === undefined;
}

/** What a tensor holds to show that it is there; null for small storages, about which nobody asks. */
export function ownerOf(storage: Storage): object | null {
  if (storage.byteLength < LARGE_BYTES) return null;
  let owner = storage.owner?.deref();
  if (owner === undefined) storage.owner = new WeakRef((owner = {}));
  return owner;
}

function evictUnusedSince(tick: number): void {
  for (const residents of [large, small]) residents.sweep((storage) => evictIfOld(storage, storage.lastUse <= tick));
}

function evict(storage: Storage): void {
  const { byteLength } = storage;
  try {
    copyOut(storage);
  } catch {
    throw outOfMemory(byteLength, 'the JavaScript heap, where a tensor that was not used lately was to move,');
  }
  evictedBytes += byteLength;
  freeBlock(storage);
}

/**
 * Copies of small storages share arrays, since to allocate one costs more than to fill it: so many bytes, but at most so
 * many copies, that one which is held keeps little else alive.
 */
const SHARED_BYTES = 4096;
const FEWEST_SHARED = 8;
/** From so many bytes on a call copies faster than a loop. */
const LOOP_BYTES = 256;
/** By size of block: an array with room for more copies, and where the next one goes. */
const sharedCopies = new Map<number, { readonly host: Uint8Array; readonly words: Int32Array; end: number }>();

/** Copies the bytes of a block to the JavaScript heap. */
function copyOut(storage: Storage): void {
  const { address, byteLength } = storage;
  if (byteLength >= LARGE_BYTES) {
    storage.host = views.u8.slice(address, address + byteLength);
    storage.hostOffset = 0;
    return;
  }
  const size = blockSize(byteLength);
  let shared = sharedCopies.get(size);
  if (shared === undefined || shared.end === shared.host.length) {
    const host = new Uint8Array(size * Math.max(FEWEST_SHARED, Math.floor(SHARED_BYTES / size)));
    shared = { host, words: new Int32Array(host.buffer), end: 0 };
    sharedCopies.set(size, shared);
  }
  const { host, words, end } = shared;
  if (byteLength >= LOOP_BYTES) host.set(views.u8.subarray(address, address + byteLength), end);
  else for (let i = 0, { i32 } = views; i < size / 4; i++) words[end / 4 + i] = i32[address / 4 + i]!;
  storage.host = host;
  storage.hostOffset = end;
  shared.end += size;
}

function freeBlock(storage: Storage): void {
  release(storage.address, storage.byteLength);
  residentBytes -= blockSize(storage.byteLength);
  residentsOf(storage).growth -= storage.byteLength;
  storage.address = 0;
}

/** Frees the dead, then evicts the least recently used half again and again until the block fits. */
function allocateUnderPressure(bytes: number): number {
  sweepDead();
  for (;;) {
    const address = allocate(bytes, budget);
    if (address !== 0) return address;
    const uses = inHeap().filter((storage) => storage.lastUse < now).map((storage) => storage.lastUse);
    if (uses.length === 0) throw outOfMemory(bytes);
    uses.sort((a, b) => a - b);
    evictUnusedSince(uses[uses.length >> 1]!);
  }
}

function inHeap(): Storage[] {
  return [...large.present(), ...small.present()];
}

function outOfMemory(bytes: number, where = `the heap with its budget of ${budget} bytes`): MemoryError {
  const sizes = new Map<string, number>();
  for (const { byteLength, dtype } of inHeap()) {
    const kind = `${byteLength / dtypeInfo[dtype].bytes} elements of ${dtype}`;
    sizes.set(kind, (sizes.get(kind) ?? 0) + byteLength);
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
  return new TypedArrayOf(host.buffer, host.byteOffset + storage.hostOffset, storage.byteLength / bytes);
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
  for (const { byteLength, dtype } of inHeap()) {
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
