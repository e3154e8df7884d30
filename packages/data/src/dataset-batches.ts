import { ValueError } from '@tapegrad/core';
import { defaultCollate } from './collate.ts';
import type { Dataset, IterableDataset } from './dataset.ts';

/** Whether samples come one after the other instead of by position. Arrays are reached by position. */
export function isStream<Sample>(dataset: Dataset<Sample> | IterableDataset<Sample>): dataset is IterableDataset<Sample> {
  return !('get' in dataset);
}

/** Whether a value has to be awaited. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null)?.then === 'function';
}

/** The samples at these positions, joined; a promise of them if the dataset promises one. */
export function loadBatch<Sample>(dataset: Dataset<Sample>, positions: readonly number[]): unknown {
  if (dataset.getBatch !== undefined) return dataset.getBatch(positions);
  const samples = loadSamples(dataset, positions);
  return isPromise(samples) ? samples.then(defaultCollate) : defaultCollate(samples);
}

/** The samples at these positions; a promise of them if the dataset promises one. */
export function loadSamples<Sample>(dataset: Dataset<Sample>, positions: readonly number[]): Sample[] | Promise<Sample[]> {
  const samples = positions.map((i) => dataset.get(i));
  return samples.some(isPromise) ? Promise.all(samples) : (samples as Sample[]);
}

/** Groups samples of a stream that need no waiting. @throws ValueError for one that does */
export function* groups<Sample>(stream: IterableDataset<Sample>, size: number, dropLast: boolean): globalThis.Generator<Sample[], void> {
  if (!(Symbol.iterator in stream)) throw needsAwait();
  let waiting: Sample[] = [];
  for (const sample of stream) {
    waiting.push(sample);
    if (waiting.length < size) continue;
    yield waiting;
    waiting = [];
  }
  if (waiting.length > 0 && !dropLast) yield waiting;
}

/** Groups samples of any stream. */
export async function* groupsAsync<Sample>(stream: IterableDataset<Sample>, size: number, dropLast: boolean): AsyncGenerator<Sample[], void> {
  let waiting: Sample[] = [];
  for await (const sample of stream) {
    waiting.push(sample);
    if (waiting.length < size) continue;
    yield waiting;
    waiting = [];
  }
  if (waiting.length > 0 && !dropLast) yield waiting;
}

/** What `for … of` says where only `for await` will do. */
export function needsAwait(): ValueError {
  return new ValueError('DataLoader: this dataset promises its samples; use for await (… of loader)');
}
