import { allocate, views } from '../../heap.ts';

/** Constants per block of memory. */
const BLOCK = 64;
const addresses = new Map<string, number>();
let block = 0;
let used = BLOCK;

/** Where the 16 bytes of a constant vector lie, for as long as there are kernels. */
export function constantAddress(bytes: readonly number[]): number {
  const key = bytes.join();
  let address = addresses.get(key);
  if (address === undefined) {
    if (used === BLOCK) {
      block = allocate(BLOCK * 16, 2 ** 32);
      used = 0;
    }
    address = block + 16 * used++;
    views.u8.set(bytes, address);
    addresses.set(key, address);
  }
  return address;
}
