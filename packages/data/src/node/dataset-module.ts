import { defaultGenerator, requireOptions } from '@tapegrad/core';
import type { Dataset, IterableDataset } from '../dataset.ts';
import { setWorkersOf } from '../workers.ts';
import { ThreadPool } from './thread-pool.ts';

/** Options of moduleDataset. */
export interface ModuleDatasetOptions {
  /** Flags of Node for the threads, such as those of a loader for TypeScript; default those of this process. */
  execArgv?: string[];
}

/** How a dataset is made, in each thread anew. */
export interface DatasetRecipe {
  /** The URL of the module. */
  readonly module: string;
  readonly argument: unknown;
  /** The state of the default random stream from which it is made. */
  readonly random: Uint8Array;
}

type AnyDataset = Dataset<unknown> | IterableDataset<unknown>;

/**
 * Makes a dataset that threads can load: functions cannot be handed to a thread, so it comes from a module of its own,
 * which each thread of a `DataLoader` with `numWorkers` imports for itself. The dataset is the same in all of them, random
 * numbers included.
 * @param module the URL of a module whose default export makes the dataset, such as `new URL('./set.js', import.meta.url)`
 * @param argument given to that function; anything that can be cloned
 * @throws what the module throws
 */
export async function moduleDataset<Set extends AnyDataset>(
  module: string | URL,
  argument?: unknown,
  options: ModuleDatasetOptions = {},
): Promise<Set> {
  requireOptions('moduleDataset', options, ['execArgv']);
  const recipe: DatasetRecipe = { module: String(module), argument, random: defaultGenerator.getState() };
  const dataset = await makeDataset(recipe);
  setWorkersOf(dataset, (start) => ThreadPool.open(recipe, start, options));
  return dataset as Set;
}

/** The dataset of a recipe. */
export async function makeDataset({ module, argument, random }: DatasetRecipe): Promise<AnyDataset> {
  const { default: make } = (await import(module)) as { default: (argument: unknown) => AnyDataset | Promise<AnyDataset> };
  defaultGenerator.setState(random);
  return make(argument);
}
