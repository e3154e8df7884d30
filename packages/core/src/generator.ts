import { ValueError } from './errors.ts';

/** Number of 32-bit words in the Mersenne Twister's state. */
const WORDS = 624;
const MIDDLE = 397;
const STATE_BYTES = 5056;

/** Byte offsets of the fields in a saved state; the layout is the one of `torch.get_rng_state()`. */
const AT = {
  seedLow: 0,
  seedHigh: 4,
  left: 8,
  seeded: 12,
  next: 16,
  words: 24,
  normal: 5024,
  normalIsValid: 5040,
};

/** The seed of a generator that nobody has seeded; PyTorch's default. */
const DEFAULT_SEED = 67280421310721;

/**
 * A stream of random numbers: the Mersenne Twister MT19937, draw for draw PyTorch's CPU generator.
 *
 * @param seed any safe integer; the draws depend on its low 32 bits only
 * @throws ValueError when the seed is not a safe integer
 * @example
 * new Generator(0).word(); // 2357136044
 * @source torch.Generator; Matsumoto and Nishimura, Mersenne Twister (1998)
 */
export class Generator {
  readonly #state: Int32Array = new Int32Array(WORDS);
  #next = 0;
  #seedLow = 0;
  #seedHigh = 0;
  /**
   * The second half of the last Box–Muller pair, kept for the next scalar normal draw; null if there is none.
   */
  spareNormal: number | null = null;

  constructor(seed: number = DEFAULT_SEED) {
    this.manualSeed(seed);
  }

  /**
   * Starts the stream again from a seed; a cached normal is forgotten.
   *
   * @param seed any safe integer; a negative one counts as 2⁶⁴ + seed
   * @throws ValueError when the seed is not a safe integer
   * @source torch.Generator.manual_seed
   */
  manualSeed(seed: number): this {
    if (!Number.isSafeInteger(seed)) {
      throw new ValueError(
        `manualSeed: the seed must be an integer between -(2^53 - 1) and 2^53 - 1, got ${String(seed)}.`,
        { op: 'manualSeed', argument: 'seed' },
      );
    }
    this.#seedLow = seed >>> 0;
    this.#seedHigh = Math.floor(seed / 2 ** 32) >>> 0;
    const state = this.#state;
    let previous = (state[0] = this.#seedLow | 0);
    for (let i = 1; i < WORDS; i++) {
      previous = (Math.imul(1812433253, previous ^ (previous >>> 30)) + i) | 0;
      state[i] = previous;
    }
    this.#next = 0;
    this.spareNormal = null;
    return this;
  }

  /**
   * The seed that the stream was started from, as an unsigned number (rounded beyond 2⁵³).
   *
   * @source torch.Generator.initial_seed
   */
  initialSeed(): number {
    return this.#seedHigh * 2 ** 32 + this.#seedLow;
  }

  /** The next draw: an integer from 0 to 2³² − 1. */
  word(): number {
    const at = this.#advance(1);
    return temper(this.#state[at]!) >>> 0;
  }

  /**
   * Fills `out` with consecutive draws, the numbers that as many calls of `word()` give, a few nanoseconds
   * each.
   *
   * @param out where the draws go, element by element
   */
  words(out: Uint32Array): void {
    for (let done = 0; done < out.length;) {
      const at = this.#advance(out.length - done);
      temperInto(out, done, this.#state, at, this.#next);
      done += this.#next - at;
    }
  }

  /**
   * The whole state as bytes, ready for a checkpoint: `setState` continues exactly where this was called.
   *
   * @returns 5056 bytes in the layout of `torch.get_rng_state()`
   * @source torch.Generator.get_state
   */
  getState(): Uint8Array {
    const bytes = new Uint8Array(STATE_BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint32(AT.seedLow, this.#seedLow, true);
    view.setUint32(AT.seedHigh, this.#seedHigh, true);
    view.setInt32(AT.left, this.#next === 0 ? 1 : WORDS + 1 - this.#next, true);
    view.setInt32(AT.seeded, 1, true);
    view.setUint32(AT.next, this.#next, true);
    for (let i = 0; i < WORDS; i++) view.setInt32(AT.words + 8 * i, this.#state[i]!, true);
    if (this.spareNormal !== null) {
      view.setFloat64(AT.normal, this.spareNormal, true);
      view.setInt32(AT.normalIsValid, 1, true);
    }
    return bytes;
  }

  /**
   * Continues from a state that `getState` returned. A wrong state is refused before anything changes.
   *
   * @param bytes what `getState` (or `torch.get_rng_state()`) gave
   * @throws ValueError when these bytes are no such state
   * @source torch.Generator.set_state
   */
  setState(bytes: Uint8Array): this {
    if (bytes.length !== STATE_BYTES) {
      throw new ValueError(`setState: a generator's state has ${STATE_BYTES} bytes, got ${bytes.length}.`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, STATE_BYTES);
    const next = view.getUint32(AT.next, true);
    const left = view.getInt32(AT.left, true);
    // `left` counts down to the next twist while `next` counts up; before the first draw they are 1 and 0.
    const consistent = next === 0 ? left === 1 : next + left === WORDS + 1;
    if (!consistent || next > WORDS || view.getInt32(AT.seeded, true) !== 1) {
      throw new ValueError('setState: these bytes are not the state of a generator.');
    }
    this.#seedLow = view.getUint32(AT.seedLow, true);
    this.#seedHigh = view.getUint32(AT.seedHigh, true);
    this.#next = next;
    for (let i = 0; i < WORDS; i++) this.#state[i] = view.getInt32(AT.words + 8 * i, true);
    this.spareNormal = view.getInt32(AT.normalIsValid, true) === 0 ? null : view.getFloat64(AT.normal, true);
    return this;
  }

  /** Takes up to `count` words of the state, after a twist when all are used; returns where they begin. */
  #advance(count: number): number {
    if (this.#next === 0 || this.#next === WORDS) {
      twist(this.#state);
      this.#next = 0;
    }
    const at = this.#next;
    this.#next = Math.min(at + count, WORDS);
    return at;
  }
}

/** Replaces the state by the next 624 words, still untempered. */
function twist(state: Int32Array): void {
  let i = 0;
  for (; i < WORDS - MIDDLE; i++) state[i] = state[i + MIDDLE]! ^ mix(state[i]!, state[i + 1]!);
  for (; i < WORDS - 1; i++) state[i] = state[i + MIDDLE - WORDS]! ^ mix(state[i]!, state[i + 1]!);
  state[i] = state[MIDDLE - 1]! ^ mix(state[i]!, state[0]!);
}

function mix(upper: number, lower: number): number {
  return (((upper & 0x80000000) | (lower & 0x7fffffff)) >>> 1) ^ (((lower << 31) >> 31) & 0x9908b0df);
}

function temper(word: number): number {
  word ^= word >>> 11;
  word ^= (word << 7) & 0x9d2c5680;
  word ^= (word << 15) & 0xefc60000;
  return word ^ (word >>> 18);
}

function temperInto(out: Uint32Array, at: number, state: Int32Array, from: number, to: number): void {
  const shift = at - from;
  for (let i = from; i < to; i++) out[i + shift] = temper(state[i]!);
}
