// npm run bench -- --profile NAME: where the time of a case goes, operation by operation.
import { mkdirSync } from 'node:fs';
import { profile, setNumThreads } from '@tapegrad/core';
import { here } from './here.ts';
import { makeInputs } from './inputs.ts';
import type { Options } from './options.ts';
import type { Adapter, Shapes } from './prepared.ts';
import { cases } from './workloads/index.ts';

/** Before this the engine still compiles, and measuring itself is slow. */
const WARM_UP_SECONDS = 1;
const WARM_UP_STEPS = 20;
const PROFILE_SECONDS = 0.2;

const clocks = {
  wall: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/**
 * Prints the profile of some steps of a case in tapegrad, and writes its trace into results/.
 * @throws Error when no case has that name
 */
export async function profileCase({ profile: name, blas, clock, threads }: Options): Promise<void> {
  const work = cases.find((work) => work.name === name);
  if (work === undefined) {
    throw new Error(`--profile takes the name of a case, got ${name}; there are ${cases.map((work) => work.name).join(', ')}`);
  }
  const { adapter } = (await import(blas ? './tapegrad/blas.ts' : './tapegrad/index.ts')) as { adapter: Adapter };
  const prepare = adapter.operations[work.operation];
  if (prepare === undefined) throw new Error(`tapegrad ${adapter.version} can't do ${name}`);
  const shapes: Shapes = Object.fromEntries(Object.entries(work.inputs).map(([input, { shape }]) => [input, shape]));
  setNumThreads(threads);
  const { step } = await prepare(makeInputs(work.inputs), work.sizes, shapes);
  const repeat = (steps: number): void => {
    for (let i = 0; i < steps; i++) void step();
  };

  let steps = 0;
  const start = performance.now();
  do repeat(1);
  while (++steps < WARM_UP_STEPS || performance.now() - start < WARM_UP_SECONDS * 1000);
  const wanted = Math.max(3, Math.ceil((steps * PROFILE_SECONDS * 1000) / (performance.now() - start)));
  profile(() => repeat(Math.ceil(wanted / 10)), { print: false });

  mkdirSync(here('results'), { recursive: true });
  const trace = here(`results/profile-${name}.json`);
  console.log(`${name}, ${wanted} steps, tapegrad ${adapter.version}\n`);
  profile(() => repeat(wanted), { trace, clock: clocks[clock] });
  console.log(`\nwritten to ${trace}, for ui.perfetto.dev or chrome://tracing`);
}
