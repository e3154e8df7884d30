// npm run bench: the workloads in tapegrad and beside it in other libraries, told as tables and kept in
// results/.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { here } from './here.ts';
import { findTorch, javascriptLibraries, onOneThread, tapegradWithBlas, type Library } from './libraries.ts';
import { canPin, describeMachine } from './machine.ts';
import { measure, type Effort } from './measure.ts';
import { measureMemory, measureScopes, memoryTable, scopeTable } from './memory.ts';
import { readOptions, usage, type Options } from './options.ts';
import { bundlePeers, installPeers } from './peers.ts';
import { profileCase } from './profile.ts';
import { writeReferences, type References } from './references.ts';
import { measureSize, sizeTable } from './size.ts';
import { measureStart, startTable } from './start.ts';
import { groupTable, notes, type Measured } from './table.ts';
import { WorkerProcess } from './worker-process.ts';
import { cases } from './workloads/index.ts';
import { build } from './build.ts';

interface Plan extends Effort {
  readonly memorySteps: number;
  readonly memorySeconds: number;
  readonly starts: number;
}

const full: Plan = {
  rounds: 9,
  roundSeconds: 0.25,
  warmUpSeconds: 3,
  memorySteps: 10_000,
  memorySeconds: 60,
  starts: 9,
};
const quick: Plan = {
  rounds: 3,
  roundSeconds: 0.04,
  warmUpSeconds: 0.1,
  memorySteps: 500,
  memorySeconds: 0.5,
  starts: 1,
};
const own = 'tapegrad';

const options = readOptions(process.argv.slice(2));
const plan = options.quick ? quick : full;
const say = (text: string): void => (options.json ? console.error(text) : console.log(text));
if (options.help) console.log(usage);
else if (options.reference) say(await writeReferences());
else if (options.profile !== '') await profileCase(options);
else await main(options);

async function main({ threads, json }: Options): Promise<void> {
  const core = options.pin && threads === 1 && canPin() ? os.cpus().length - 1 : null;
  const machine = describeMachine(threads, core);
  const where = core === null ? '' : `, main threads on core ${core}`;
  say(
    `${machine.processor}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}; threads: ${threads}${where}`,
  );
  if (machine.load > 0.5)
    say(`others are at work here (load ${machine.load.toFixed(1)}): trust ratios only, or --clock cpu`);

  build();
  const libraries = await chooseLibraries();
  const timed = libraries.flatMap((library) => (threads > 1 && library.name === own ? [library, onOneThread(library)] : [library]));
  const { versions, measured } = await timeCases(timed, core);
  const results = {
    machine,
    versions,
    cases: measured.map(({ work, outcomes }) => ({ name: work.name, unit: work.unit, outcomes })),
    ...(await weighAndStart(libraries, core)),
  };
  const text = `${JSON.stringify(results, null, 1)}\n`;
  mkdirSync(here('results'), { recursive: true });
  const kind = options.quick ? 'quick' : options.only.length > 0 ? 'part' : 'full';
  const file = here(`results/${kind}-node${process.versions.node.split('.')[0]}-threads${threads}.json`);
  writeFileSync(file, text);
  say(`\nwritten to ${file}`);
  if (json) process.stdout.write(text);
}

async function chooseLibraries(): Promise<Library[]> {
  const wanted = (name: string): boolean =>
    options.libraries.length === 0 || options.libraries.includes(name);
  const threads = { TAPEGRAD_NUM_THREADS: String(options.threads) };
  const chosen: Library[] = javascriptLibraries
    .filter(({ name }) => wanted(name))
    .map((library) => ({ ...library, env: { ...library.env, ...threads } }));
  if (chosen.some(({ peer }) => peer)) {
    installPeers();
    await bundlePeers();
  }
  if (options.blas) chosen.splice(chosen.findIndex(({ name }) => name === own) + 1, 0, tapegradWithBlas(options.threads));
  const torch = wanted('torch') ? findTorch(options.threads) : null;
  if (wanted('torch') && torch === null) say('PyTorch is left out: no python3 can import torch');
  return torch === null ? chosen : [...chosen, torch];
}

async function timeCases(
  libraries: readonly Library[],
  core: number | null,
): Promise<{ versions: Record<string, string>; measured: Measured[] }> {
  const { only } = options;
  const chosen = cases.filter(({ name, group, quick }) =>
    only.length > 0 ? only.includes(name) || only.includes(group) : !options.quick || quick,
  );
  const versions: Record<string, string> = {};
  const measured: Measured[] = [];
  if (chosen.length === 0) return { versions, measured };
  const references = existsSync(here('reference.json'))
    ? (JSON.parse(readFileSync(here('reference.json'), 'utf8')) as References)
    : {};
  const peers = libraries.filter(({ peer }) => peer).map(({ name }) => name);
  for (const group of new Set(chosen.map((work) => work.group))) {
    // Fresh processes, since what a compiler has learnt from other programs changes its code for this one.
    const workers = libraries.map((library) => new WorkerProcess(library));
    try {
      const known = new Map<WorkerProcess, readonly string[]>();
      for (const worker of workers) {
        const { version, operations } = await worker.hello(core);
        versions[worker.library.name] = version;
        known.set(worker, operations);
      }
      if (measured.length === 0) sayVersions(versions);
      const ofGroup: Measured[] = [];
      for (const work of chosen.filter((each) => each.group === group)) {
        const able = workers.filter(
          (worker) =>
            known.get(worker)!.includes(work.operation) && !isTooSlow(worker.library, work.operation),
        );
        const found = await measure(work, able, references[work.name], plan);
        const outcomes = libraries.map(
          ({ name }) => found.find(({ library }) => library === name) ?? { library: name },
        );
        ofGroup.push({ work, outcomes });
      }
      measured.push(...ofGroup);
      say(['', groupTable(ofGroup, own, peers, options.clock), ...notes(ofGroup)].join('\n'));
    } finally {
      for (const worker of workers) worker.close();
    }
  }
  return { versions, measured };
}

function sayVersions(versions: Readonly<Record<string, string>>): void {
  say(
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  );
  if (versions['torch']?.endsWith('plain BLAS') !== true) return;
  say('PyTorch multiplies matrices by the plain BLAS here: only with OpenBLAS or MKL is it what it can be');
}

/** Left out of a quick run, unless asked for by name. */
function isTooSlow({ name, slow = [] }: Library, operation: string): boolean {
  return options.quick && !options.libraries.includes(name) && slow.includes(operation);
}

/** The reports on whole processes and packages. */
async function weighAndStart(
  libraries: readonly Library[],
  core: number | null,
): Promise<Record<string, unknown>> {
  const wanted = (report: string): boolean => options.only.length === 0 || options.only.includes(report);
  const reports: Record<string, unknown> = {};
  const told = (name: string, outcomes: unknown, table: string): void => {
    reports[name] = outcomes;
    say(`\n${table}`);
  };
  // What grows shows after thousands of steps, for which a quick run has no time.
  if (options.quick ? options.only.includes('memory') : wanted('memory')) {
    const outcomes = await measureMemory(libraries, plan.memorySteps, plan.memorySeconds);
    told('memory', outcomes, memoryTable(outcomes));
    const scopes = await measureScopes(libraries, core, plan.roundSeconds / 3);
    told('scopes', scopes, scopeTable(scopes));
  }
  if (wanted('start')) {
    const outcomes = measureStart(libraries, plan.starts);
    told('start', outcomes, startTable(outcomes));
  }
  if (wanted('size')) {
    const outcomes = await measureSize(libraries);
    told('size', outcomes, sizeTable(outcomes));
  }
  return reports;
}
