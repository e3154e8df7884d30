import type { Inputs } from './inputs.ts';

/** One case made ready by a library. */
export interface Prepared {
  /** What is timed. Everything it started is done when it returns, or when its promise is fulfilled. */
  step(): void | Promise<void>;
  /** Results of the last step, for the comparison. */
  results(): Results | Promise<Results>;
  /** Gives back what the library does not free by itself. */
  dispose?(): void;
}

/** Named arrays; what a case calls a result is the same in every library. */
export type Results = Readonly<Record<string, ArrayLike<number>>>;

/** Makes a case ready from its inputs and sizes. */
export type Prepare = (
  inputs: Inputs,
  sizes: Readonly<Record<string, number>>,
  shapes: Shapes,
) => Prepared | Promise<Prepared>;

/** Shapes of the inputs. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

/** What a library's adapter exports. */
export interface Adapter {
  /** Of the library, and of what it runs on if that has another. */
  readonly version: string;
  /** By the `operation` of the cases; a case without an entry is not something that the library can do. */
  readonly operations: Readonly<Record<string, Prepare>>;
  /** Runs a step and gives at once back what it made, where the library's users need not. */
  readonly scoped?: (step: () => void) => void;
}
