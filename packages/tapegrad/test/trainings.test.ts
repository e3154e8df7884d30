import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import * as tg from 'tapegrad';
import { train as convolutional } from './trainings/convolutional.ts';
import { train as gpt } from './trainings/gpt.ts';
import { train as recurrent } from './trainings/recurrent.ts';
import { train as vae } from './trainings/vae.ts';
import { trainings as variants } from './trainings/variants.ts';

/** One training of PyTorch: what it printed, step by step. */
interface Run {
  readonly mode: 'float32' | 'float64' | 'float64 throughout';
  readonly seed: number;
  readonly losses: readonly number[];
}

const recorded = JSON.parse(readFileSync(new URL('data/trainings.json', import.meta.url), 'utf8')) as Record<string, Run[]>;
const trainings: Readonly<Record<string, (dtype: tg.DTypeName) => number[]>> = { convolutional, recurrent, gpt, vae, ...variants };

afterEach(() => tg.setDefaultDtype('float32'));

/** Largest difference of a loss, relative to what was recorded; NaN if there are not as many. */
function difference(losses: readonly number[], expected: readonly number[]): number {
  if (losses.length !== expected.length) return NaN;
  return Math.max(...losses.map((loss, i) => (loss === expected[i] ? 0 : Math.abs(loss - expected[i]!) / Math.abs(expected[i]!))));
}

describe('a training that was ported line by line gives the losses of PyTorch', () => {
  it('has a port of each that was recorded', () => {
    expect(Object.keys(trainings)).toEqual(Object.keys(recorded));
  });

  const runs = Object.entries(recorded).flatMap(([name, list]) => list.map((run) => ({ name, ...run })));

  it.each(runs)('$name in $mode with seed $seed', ({ name, mode, seed, losses }) => {
    tg.setDefaultDtype(mode === 'float64 throughout' ? 'float64' : 'float32');
    tg.manualSeed(seed);
    const got = trainings[name]!(mode === 'float32' ? 'float32' : 'float64');
    expect(difference(got, losses)).toBeLessThanOrEqual(mode === 'float32' ? 2e-4 : 1e-8);
  });
});
