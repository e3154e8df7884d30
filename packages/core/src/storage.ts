import { Block, copyOut, GONE, moved, NOWHERE, now } from './block.ts';
import { collectGarbage } from './collector.ts';
import { dtypeInfo, type DType, type TypedArray } from './dtype.ts';
import { MemoryError } from './errors.ts';
import { allocate, blockSize, heapExtent, heapMemory, release, views } from './heap.ts';
import type { Layout } from './layout.ts';
import { bringIntoPage, LARGE_BYTES, limitPages, pagesInHeap, retireUnusedSince, sizeClass, type SizeClass } from './pages.ts';

export { nextTick } from './block.ts';

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
  /** Where the bytes are, and where in it they begin. */
  block: Block = NOWHERE;
  start = 0;
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

  /** Whether it was given back: reading it is an error. */
  get disposed(): boolean {
    return this.block === GONE;
  }
}

const DEFAULT_BUDGET = 2 ** 31;
/** Large storages are looked through when they have grown by so many bytes; where they are moved, later if they come back. */
const FIRST_NURSERY = 3 * 2 ** 25;
/** Storages of no bytes share this address. */
const EMPTY_ADDRESS = 64;

/** Where storages of results made from here on are listed, while somebody wants to free them. */
let recorder: Storage[] | null = null;

/** A storage for a result of a dense layout, listed if results are being listed. A small one has its place in the heap at once. */
export function resultStorage(layout: Layout): Storage {
  const storage = new Storage(layout.byteLength, layout.dtype);
  const pages = layout.pages ?? findPages(layout);
  if (pages !== null) pages.place(storage, take);
  if (recorder !== null) recorder.push(storage);
  return storage;
}

function findPages(layout: Layout): SizeClass | null {
  return (layout.pages = sizeClass(layout.byteLength, layout.dtype));
}

/** Lists the results made from here on in `list` (null: no longer), and returns the list that was used before. */
export function recordStorages(list: Storage[] | null): Storage[] | null {
  const before = recorder;
  recorder = list;
  return before;
}

/** Large storages in the heap, and some that are there no longer. */
let large: Block[] = [];
/** What was not used since this tick is old. */
let lastSweep = 0;
/** Bytes that came into the heap and were not given back since then, and those that came back from the host. */
let growth = 0;
let reloaded = 0;
let budget = DEFAULT_BUDGET;
let nursery = FIRST_NURSERY;

/** Makes a storage of bytes that nobody else holds; they are taken over without a copy. */
export function storageOf(bytes: Uint8Array, dtype: DType): Storage {
  const storage = new Storage(bytes.byteLength, dtype);
  if (recorder !== null) recorder.push(storage);
  storage.block = new Block(0, bytes, null, null);
  return storage;
}

/**
 * The storage's address in the heap, brought there if need be; valid until the next tick.
 * @throws MemoryError if the heap has no room for it
 */
export function addressOf(storage: Storage): number {
  const { block } = storage;
  if (block.address === 0) return makeResident(storage);
  block.lastUse = now;
  return block.address + storage.start;
}

function makeResident(storage: Storage): number {
  assertAlive(storage);
  const { byteLength } = storage;
  if (byteLength === 0) return EMPTY_ADDRESS;
  if (byteLength < LARGE_BYTES) bringIntoPage(storage, take);
  else bringLarge(storage);
  const { block } = storage;
  block.lastUse = now;
  return block.address + storage.start;
}

/** Takes so many bytes from the heap, for a storage. */
function take(bytes: number, storage: Storage): number {
  return allocate(bytes, budget) || allocateUnderPressure(bytes, storage);
}

function bringLarge(storage: Storage): void {
  if (growth > nursery) sweepLarge();
  const { byteLength } = storage;
  const { host } = storage.block;
  const block = new Block(blockSize(byteLength), null, null, storage);
  block.address = take(byteLength, storage);
  block.held = byteLength;
  block.storages = 1;
  storage.block = block;
  storage.start = 0;
  large.push(block);
  growth += byteLength;
  if (host === null) return;
  views.u8.set(host, block.address);
  reloaded += byteLength;
  moved.reloaded += byteLength;
}

/** Looks at the large storages: gives back or moves those that `leave` says, and forgets those that are gone. */
function sweep(leave: (storage: Storage, block: Block) => void): void {
  for (const block of large) if (block.address !== 0) leave(block.storage!, block);
  large = large.filter(({ address }) => address !== 0);
  // What the kernel about to run uses is not up for the next sweep, which may come before that kernel runs.
  lastSweep = now - 1;
  growth = reloaded = 0;
}

/**
 * Gives back what is dead. Where that can't be known, what is old moves to the host; when much of it had to come back,
 * sweeps become rarer.
 */
function sweepLarge(): void {
  const reloads = reloaded;
  if (sweepDead()) return;
  if (reloads > nursery / 8) nursery = Math.min(nursery * 2, budget / 4);
  sweep((storage, block) => {
    if (isDead(storage)) freeStorage(storage);
    else if (block.lastUse <= lastSweep) evict(block);
  });
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
  sweep(freeIfDead);
  const end = performance.now();
  const isCostly = end - start > LARGEST_SHARE * (end - lastAsked) && (end - start) * 1e6 > freed * COPY_NANOSECONDS;
  lastAsked = end;
  if (isCostly) sweepsToSkip = RETRY_SWEEPS;
  return true;
}

/** Bytes that the sweep which runs has freed. */
let freed = 0;
/**
 * What one of so many last kernels used is not looked at: code that works on bytes may hold their storage alone, and no
 * longer the tensor that it took it from.
 */
const RECENT_KERNELS = 256;

function freeIfDead(storage: Storage, block: Block): void {
  if (block.lastUse > Math.max(lastSweep, now - RECENT_KERNELS)) return;
  if (storage.owner === null) evict(block);
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

/** Moves a large storage to the host. */
function evict(block: Block): void {
  block.host = copyOut(block.address, block.held);
  moved.evicted += block.held;
  giveBack(block);
}

function giveBack(block: Block): void {
  release(block.address, block.held);
  growth -= block.held;
  block.address = 0;
}

/** Frees the dead, then moves the least recently used half away again and again until the bytes fit. */
function allocateUnderPressure(bytes: number, storage: Storage): number {
  sweepDead();
  for (;;) {
    const address = allocate(bytes, budget);
    if (address !== 0) return address;
    const uses = inHeap().map(({ lastUse }) => lastUse).filter((lastUse) => lastUse < now);
    if (uses.length === 0) throw outOfMemory(storage.byteLength);
    uses.sort((a, b) => a - b);
    const tick = uses[uses.length >> 1]!;
    retireUnusedSince(tick);
    sweep((_, block) => {
      if (block.lastUse <= tick) evict(block);
    });
  }
}

function inHeap(): Block[] {
  return [...large.filter(({ address }) => address !== 0), ...pagesInHeap()];
}

/** What a block's bytes were made to hold. */
function dtypeOf({ storage, sort }: Block): DType {
  return (storage ?? sort!).dtype;
}

function outOfMemory(bytes: number): MemoryError {
  const sizes = new Map<string, number>();
  let live = 0;
  for (const block of inHeap()) {
    const dtype = dtypeOf(block);
    const size = (block.storage?.byteLength ?? block.sort!.size) / dtypeInfo[dtype].bytes;
    const kind = `${block.storage === null ? 'up to ' : ''}${size} elements of ${dtype}`;
    sizes.set(kind, (sizes.get(kind) ?? 0) + block.held);
    live += block.held;
  }
  const largest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 3).map(([kind, held]) => `${kind} (${held} bytes in all)`);
  const holders = largest.length === 0 ? '' : `, most by tensors of ${largest.join(', ')}`;
  return new MemoryError(
    `out of memory: ${bytes} bytes were asked for, but the heap with its budget of ${budget} bytes has no room for them. The ` +
      `operation that runs holds ${live} bytes${holders}. Use smaller batches or setMemoryBudget()`,
  );
}

/**
 * The elements of a storage wherever they are now. The array may lie over the heap: read or write it at once,
 * before anything is allocated, and never hand it to a user.
 */
export function hostArray(storage: Storage, dtype: DType): TypedArray {
  const { bytes, array: TypedArrayOf } = dtypeInfo[dtype];
  const { block, start, byteLength } = storage;
  block.lastUse = now;
  if (block.address !== 0) return new TypedArrayOf(heapMemory().buffer, block.address + start, byteLength / bytes);
  assertAlive(storage);
  if (block.host === null) storage.block = new Block(0, new Uint8Array(byteLength), null, null);
  const host = storage.block.host!;
  return new TypedArrayOf(host.buffer, host.byteOffset + start, byteLength / bytes);
}

/** Gives the bytes back at once. Only for storages that nobody can read any more. */
export function freeStorage(storage: Storage): void {
  const { block, start, byteLength } = storage;
  if (block.address !== 0) {
    if (poison) views.u8.fill(0xff, block.address + start, block.address + start + byteLength);
    if (block.sort === null) giveBack(block);
    else block.sort.free(storage);
  }
  storage.block = GONE;
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
  for (const block of inHeap()) {
    if (block.storages === 0) continue;
    const entry = (byDType[dtypeOf(block)] ??= { bytes: 0, tensors: 0 });
    entry.bytes += block.held;
    entry.tensors += block.storages;
    live += block.held;
  }
  const heap = heapExtent();
  const { evicted, reloaded } = moved;
  return { live, byDType, cached: heap - live, evicted, reloaded, heap, budget };
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
  limitPages(bytes / 4);
}
