import type { InputSpec } from './inputs.ts';

/** One thing to measure: what every library gets, what it has to do with it, and how the outcome is told. */
export interface Case {
  /** Unique, as in `--only`: the group and what sets this case apart in it. */
  readonly name: string;
  /** Cases of one group share a table. */
  readonly group: string;
  /** Which entry of each library's adapter does the work. */
  readonly operation: string;
  /** Numbers for the adapter: sizes, learning rates. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly unit: Unit;
  /** How many steps are compared with the reference; training needs some to show the optimizer. */
  readonly checkedSteps: number;
  /** Largest difference from the reference that counts as rounding, relative to the size of the result. */
  readonly tolerance: number;
  /** Whether its steps are JavaScript more than kernels, which takes its compiler longer to make fast. */
  readonly manySmallOps?: boolean;
  /** Whether `--quick` runs it. */
  readonly quick: boolean;
}

/** How the time of one step becomes the number in the table. */
export interface Unit {
  readonly name: 'GFLOP/s' | 'ns/element' | 'ns/op' | 'ms';
  /** FLOPs, elements or ops of a step; 1 for ms. */
  readonly amount: number;
}

/** The table's number for a step of so many nanoseconds. */
export function inUnit(nanoseconds: number, { name, amount }: Unit): number {
  if (name === 'GFLOP/s') return amount / nanoseconds;
  if (name === 'ms') return nanoseconds / 1e6;
  return nanoseconds / amount;
}
