import { setImmediate } from 'node:timers/promises';

/** Exit codes by signal, as shells have them: 128 and the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

type Signal = keyof typeof EXIT_CODES;

/** A loop that computes lets signals in at least this often. */
const BREATH_MS = 40;
/** npm passes a Ctrl-C on that the program also gets from the terminal: so close together they are one. */
const SAME_MS = 400;

/**
 * Ctrl-C (or a request to terminate) as a question that a loop asks when it suits it. The second one ends the
 * program at once.
 *
 * @param announce called when the first one comes
 */
export class Interruption {
  readonly #announce: () => void;
  readonly #handlers: readonly (readonly [Signal, () => void])[];
  /** What came, if anything did. */
  signal: Signal | null = null;
  #cameAt = 0;
  #breathedAt = performance.now();

  constructor(announce: () => void) {
    this.#announce = announce;
    this.#handlers = (Object.keys(EXIT_CODES) as Signal[]).map((signal) => [
      signal,
      () => this.#receive(signal),
    ]);
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
  }

  /** Whether to stop. To be asked often: without a turn of the event loop now and then no signal arrives. */
  async requested(): Promise<boolean> {
    if (performance.now() - this.#breathedAt >= BREATH_MS) {
      await setImmediate();
      this.#breathedAt = performance.now();
    }
    return this.signal !== null;
  }

  /** What the program should end with. */
  get exitCode(): number {
    return this.signal === null ? 0 : EXIT_CODES[this.signal];
  }

  /** Leaves signals to their usual effect again. */
  end(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }

  #receive(signal: Signal): void {
    const now = performance.now();
    if (this.signal === null) {
      this.signal = signal;
      this.#cameAt = now;
      this.#announce();
    } else if (now - this.#cameAt > SAME_MS) process.exit(EXIT_CODES[signal]);
  }
}
