/**
 * The memory that kernels work on: one WebAssembly.Memory and an allocator of blocks in it.
 * Small blocks come from size classes (a slab and a free list each); large ones from an address-ordered list of free ranges
 * that merges neighbours, so that memory freed by one shape serves another.
 */
const PAGE = 65536;
const SMALL_LIMIT = 32768;
const SLAB = 1 << 18;
const LARGE_ALIGN = 4096;
/** The first bytes stay unused, so that address 0 can mean "nowhere". */
const FIRST_ADDRESS = 1024;
const MAX_PAGES = 65536;
/** Kernels may read (never write) this far past a block, where a row ends within a vector. */
const READ_AHEAD = 64;

/** Smallest block sizes: multiples of 16 up to 128, then four steps per doubling. */
const classSizes: number[] = [];
for (let size = 16; size <= 128; size += 16) classSizes.push(size);
for (let base = 128; base < SMALL_LIMIT; base *= 2) {
  for (let step = 1; step <= 4; step++) classSizes.push(base + (base / 4) * step);
}
const classOf = new Uint8Array(SMALL_LIMIT / 16 + 1);
for (let units = 0, k = 0; units < classOf.length; units++) {
  while (classSizes[k]! < units * 16) k++;
  classOf[units] = k;
}
/** By class: blocks that were given back. */
const freeLists: number[][] = classSizes.map(() => []);
/** By class: where the part of its last slab begins that no block was taken from yet, and where that slab ends. */
const freshStarts: number[] = classSizes.map(() => 0);
const freshEnds: number[] = classSizes.map(() => 0);

interface Range {
  start: number;
  size: number;
}
/** Free ranges in rising order of address; no two touch. */
const freeRanges: Range[] = [];

let memory: WebAssembly.Memory | null = null;
let end = FIRST_ADDRESS;

/** Typed views over the whole heap; replaced when it grows, so never keep one across an allocation. */
export const views: {
  u8: Uint8Array;
  i32: Int32Array;
  f32: Float32Array;
  f64: Float64Array;
} = { u8: new Uint8Array(0), i32: new Int32Array(0), f32: new Float32Array(0), f64: new Float64Array(0) };

function refreshViews(): void {
  const buffer = memory!.buffer;
  views.u8 = new Uint8Array(buffer);
  views.i32 = new Int32Array(buffer);
  views.f32 = new Float32Array(buffer);
  views.f64 = new Float64Array(buffer);
}

/** The WebAssembly memory behind the heap, made on first use; shared where the platform allows it. */
export function heapMemory(): WebAssembly.Memory {
  if (memory === null) {
    memory = new WebAssembly.Memory({ initial: 16, maximum: MAX_PAGES, shared: heapIsShared() });
    refreshViews();
  }
  return memory;
}

/** Whether the heap is shared memory (needed for threads): always in Node, in a browser when cross-origin isolated. */
export function heapIsShared(): boolean {
  return typeof SharedArrayBuffer !== 'undefined';
}

/** Bytes of address space that the heap has ever used. */
export function heapExtent(): number {
  return end;
}

/** How many bytes a request for `bytes` really takes. */
export function blockSize(bytes: number): number {
  if (bytes <= SMALL_LIMIT) return classSizes[classOf[(bytes + 15) >> 4]!]!;
  return Math.ceil(bytes / LARGE_ALIGN) * LARGE_ALIGN;
}

/**
 * Takes a block without growing the heap past `limit` bytes.
 * @returns its address, a multiple of 16, or 0 if there is no room
 */
export function allocate(bytes: number, limit: number): number {
  if (bytes <= SMALL_LIMIT) {
    const k = classOf[(bytes + 15) >> 4]!;
    const list = freeLists[k]!;
    return list.length > 0 ? list.pop()! : takeFresh(k, limit);
  }
  return takeRange(blockSize(bytes), limit);
}

/** Gives a block back; `bytes` is what was asked for. */
export function release(address: number, bytes: number): void {
  if (bytes <= SMALL_LIMIT) freeLists[classOf[(bytes + 15) >> 4]!]!.push(address);
  else giveRange(address, blockSize(bytes));
}

/** The next block of a slab, which is taken when the class has none left. */
function takeFresh(k: number, limit: number): number {
  const size = classSizes[k]!;
  if (freshStarts[k]! + size > freshEnds[k]!) {
    const slab = takeRange(SLAB, limit);
    if (slab === 0) return 0;
    freshStarts[k] = slab;
    freshEnds[k] = slab + SLAB;
  }
  const address = freshStarts[k]!;
  freshStarts[k] = address + size;
  return address;
}

function takeRange(size: number, limit: number): number {
  let best = -1;
  for (let i = 0; i < freeRanges.length; i++) {
    const range = freeRanges[i]!;
    if (range.size >= size && (best < 0 || range.size < freeRanges[best]!.size)) {
      best = i;
      if (range.size === size) break;
    }
  }
  if (best >= 0) {
    const range = freeRanges[best]!;
    const start = range.start;
    if (range.size === size) freeRanges.splice(best, 1);
    else {
      range.start += size;
      range.size -= size;
    }
    return start;
  }
  return growBy(size, limit);
}

function growBy(size: number, limit: number): number {
  const heap = heapMemory();
  const last = freeRanges[freeRanges.length - 1];
  const tail = last !== undefined && last.start + last.size === end ? last : undefined;
  const start = tail === undefined ? Math.ceil(end / LARGE_ALIGN) * LARGE_ALIGN : tail.start;
  const newEnd = start + size;
  if (newEnd > Math.min(limit, MAX_PAGES * PAGE - READ_AHEAD)) return 0;
  const missing = Math.ceil((newEnd + READ_AHEAD - heap.buffer.byteLength) / PAGE);
  if (missing > 0) {
    // Growing in larger steps keeps the number of view refreshes small.
    const step = Math.max(missing, Math.min(256, Math.floor((limit - heap.buffer.byteLength) / PAGE)));
    try {
      heap.grow(step);
    } catch {
      return 0;
    }
    refreshViews();
  }
  if (tail !== undefined) freeRanges.pop();
  end = newEnd;
  return start;
}

function giveRange(start: number, size: number): void {
  let low = 0;
  for (let high = freeRanges.length; low < high; ) {
    const mid = (low + high) >> 1;
    if (freeRanges[mid]!.start < start) low = mid + 1;
    else high = mid;
  }
  const before = freeRanges[low - 1];
  const after = freeRanges[low];
  const joinsBefore = before !== undefined && before.start + before.size === start;
  const joinsAfter = after !== undefined && start + size === after.start;
  if (joinsBefore && joinsAfter) {
    before.size += size + after.size;
    freeRanges.splice(low, 1);
  } else if (joinsBefore) before.size += size;
  else if (joinsAfter) {
    after.start = start;
    after.size += size;
  } else freeRanges.splice(low, 0, { start, size });
}
