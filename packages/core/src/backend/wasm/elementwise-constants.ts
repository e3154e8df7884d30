import { allocate, views } from '../../heap.ts';
import { v128 } from './assembler.ts';
import type { Vector } from './elementwise-lanes.ts';

/** Constants per block of memory. */
const BLOCK = 64;
const addresses = new Map<number, number>();
let block = 0;
let used = BLOCK;

/**
 * Four equal single-precision lanes, read from memory: engines rebuild a constant in the code at every use,
 * with several instructions, which makes long polynomials twice as slow.
 */
export function tableF32x4(value: number): Vector {
  let address = addresses.get(value);
  if (address === undefined) {
    if (used === BLOCK) {
      block = allocate(BLOCK * 16, 2 ** 32);
      used = 0;
    }
    address = block + 16 * used++;
    views.f32.fill(value, address / 4, address / 4 + 4);
    addresses.set(value, address);
  }
  return v128.load(address);
}
