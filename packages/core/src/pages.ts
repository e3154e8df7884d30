import { Block, hostBytes, moved, NOWHERE, now } from './block.ts';
import { dtypeInfo, type DType } from './dtype.ts';
import { blockSize, release, views } from './heap.ts';
import type { Storage } from './storage.ts';

/** A storage of fewer bytes is small. */
export const LARGE_BYTES: number = 2 ** 14;
/** A page has so many bytes, but at least so many storages. */
const PAGE_BYTES = 4096;
const FEWEST_STORAGES = 8;
/** So many pages share an array on the host; a storage that is held keeps no more than that alive. */
const PAGES_TOGETHER = 8;
const NO_BYTES = new Uint8Array(0);
/** Pages of so many bytes stay, more if they have to come back; a storage counts as so many at least. */
const FIRST_NURSERY = 2 ** 18;
const LEAST_BYTES = 128;

/** Takes so many bytes from the heap, for a storage. */
export type Take = (bytes: number, storage: Storage) => number;

/**
 * Small storages of one size and dtype lie in pages. Pages leave the heap in the order in which they came: one copy moves
 * all that is in a page to the host, and a storage that is needed again comes back alone, to the newest page. So nobody has
 * to know which storages are dead, and none is ever looked at.
 */
export class SizeClass {
  readonly dtype: DType;
  /** Bytes between the beginnings of storages. */
  readonly size: number;
  readonly pageSize: number;
  /** The newest page, until it leaves the heap. */
  page: Block = NOWHERE;
  /** What was given back: pages, and where in them. */
  private readonly freePages: Block[] = [];
  private readonly freePlaces: number[] = [];
  /** Where pages move to on the host, and how far that is filled. */
  private host: Uint8Array = NO_BYTES;
  private hostEnd = 0;

  constructor(dtype: DType, size: number) {
    this.dtype = dtype;
    this.size = size;
    this.pageSize = size * Math.max(FEWEST_STORAGES, Math.floor(PAGE_BYTES / size));
  }

  /** Gives a storage a place in the heap. */
  place(storage: Storage, take: Take): void {
    let page = NOWHERE;
    let start = 0;
    while (page.address === 0 && this.freePages.length > 0) {
      page = this.freePages.pop()!;
      start = this.freePlaces.pop()!;
    }
    if (page.address === 0) {
      ({ page } = this);
      start = page.end;
      if (start === page.size) {
        page = this.page = openPage(this, storage, take);
        start = 0;
      }
      page.end = start + this.size;
    }
    page.held += storage.byteLength;
    page.storages++;
    storage.block = page;
    storage.start = start;
  }

  /**
   * Copies a page to the host. Pages that follow each other lie side by side there, since an array costs more than the bytes of
   * a page; one that is held keeps its neighbours.
   */
  copyOut({ address, end }: Block): Uint8Array {
    if (this.hostEnd + end > this.host.length) {
      this.host = hostBytes(this.pageSize * PAGES_TOGETHER);
      this.hostEnd = 0;
    }
    const host = this.host.subarray(this.hostEnd, this.hostEnd + end);
    host.set(views.u8.subarray(address, address + end));
    this.hostEnd += end;
    return host;
  }

  /** Takes the place of a storage back. */
  free({ block, start, byteLength }: Storage): void {
    block.held -= byteLength;
    block.storages--;
    this.freePages.push(block);
    this.freePlaces.push(start);
  }
}

/** By the number of 16 bytes that a storage takes. */
const classesOf = Object.fromEntries(Object.keys(dtypeInfo).map((dtype) => [dtype, [] as SizeClass[]])) as Record<DType, SizeClass[]>;

/** The class of storages of so many bytes, null where they are large or have none. */
export function sizeClass(byteLength: number, dtype: DType): SizeClass | null {
  if (byteLength === 0 || byteLength >= LARGE_BYTES) return null;
  const classes = classesOf[dtype];
  const units = (byteLength + 15) >> 4;
  return classes[units] ?? addClass(classes, dtype, blockSize(byteLength));
}

function addClass(classes: SizeClass[], dtype: DType, size: number): SizeClass {
  const added = new SizeClass(dtype, size);
  for (let units = size >> 4; units > 0 && blockSize(units << 4) === size; units--) classes[units] = added;
  return added;
}

/** Those in the heap, the oldest first. */
let pages: Block[] = [];
let nursery = FIRST_NURSERY;
let largestNursery = 2 ** 29;
/** What the pages in the heap count as. */
let weight = 0;
/** What came since it was last looked at, and what had to come back of that. */
let opened = 0;
let reloaded = 0;

function weightOf({ size, sort }: Block): number {
  return Math.max(size, (size / sort!.size) * LEAST_BYTES);
}

function openPage(sort: SizeClass, storage: Storage, take: Take): Block {
  const page = new Block(sort.pageSize, null, sort, null);
  const added = weightOf(page);
  // The kernel about to run uses what has been used in this tick.
  while (weight + added > nursery && pages.length > 0 && pages[0]!.lastUse < now) {
    retire(pages[0]!);
    pages.shift();
  }
  opened += added;
  if (opened > nursery) {
    if (reloaded > nursery / 8) nursery = Math.min(nursery * 2, largestNursery);
    opened = reloaded = 0;
  }
  page.address = take(page.size, storage);
  weight += added;
  pages.push(page);
  return page;
}

/** Brings a small storage into the heap. */
export function bringIntoPage(storage: Storage, take: Take): void {
  const { block, start, byteLength } = storage;
  sizeClass(byteLength, storage.dtype)!.place(storage, take);
  const { host, sort } = block;
  if (host === null) return;
  views.u8.set(host.subarray(start, start + byteLength), storage.block.address + storage.start);
  if (sort === null) return;
  moved.reloaded += byteLength;
  reloaded += Math.max(byteLength, LEAST_BYTES);
}

/** Moves a page to the host. */
function retire(page: Block): void {
  const { address, size } = page;
  if (page.storages > 0) {
    page.host = page.sort!.copyOut(page);
    moved.evicted += page.held;
  }
  weight -= weightOf(page);
  page.address = 0;
  if (page.sort!.page === page) page.sort!.page = NOWHERE;
  release(address, size);
}

/** Moves the pages to the host that no kernel used after a tick. */
export function retireUnusedSince(tick: number): void {
  try {
    for (const page of pages) if (page.lastUse <= tick) retire(page);
  } finally {
    // Where the host has no room for one, those before it have moved all the same.
    pages = pages.filter(({ address }) => address !== 0);
  }
}

/** The pages in the heap. */
export function pagesInHeap(): readonly Block[] {
  return pages;
}

/** Sets how large the pages in the heap may become together. */
export function limitPages(bytes: number): void {
  largestNursery = bytes;
  nursery = Math.min(nursery, bytes);
}
