// npm run bench: the workloads in tapegrad and beside it in other libraries, told as tables and kept in results/.
import { readFileSync, mkdirSync, writeFileSync } from 'node:fs';
import type { Fingerprint } from './fingerprint.ts';
import { here } from './here.ts';
import { findTorch, javascriptLibraries, type Library } from './libraries.ts';
import { canPin, describeMachine, pinTo } from './machine.ts';
import { measure, type Effort } from './measure.ts';
import { readOptions, usage, type Options } from './options.ts';
import { bundlePeers, installPeers } from './peers.ts';
import { groupTable, notes, type Measured } from './table.ts';
import { WorkerProcess } from './worker-process.ts';
import { cases } from './workloads/index.ts';

const full: Effort = { rounds: 9, roundSeconds: 0.25, warmUpSeconds: 1 };
const quick: Effort = { rounds: 3, roundSeconds: 0.04, warmUpSeconds: 0.1 };
const own = 'tapegrad';

type References = Record<string, Record<string, Fingerprint>>;

const options = readOptions(process.argv.slice(2));
const say = (text: string): void => (options.json ? console.error(text) : console.log(text));
if (options.help) console.log(usage);
else if (options.reference) await writeReferences();
else await main(options);

async function main({ only, threads, json }: Options): Promise<void> {
  const chosen = cases.filter((work) =>
    only.length > 0 ? only.includes(work.name) || only.includes(work.group) : !options.quick || work.quick,
  );
  const core = options.pin && threads === 1 && canPin() ? 0 : null;
  const machine = describeMachine(threads, core);
  say(`${machine.processor}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}; threads: ${threads}`);
  if (machine.load > 0.5) say(`the machine is busy (load ${machine.load.toFixed(1)}): trust ratios more than numbers`);

  const libraries = await chooseLibraries();
  const workers = libraries.map((library) => new WorkerProcess(library, pinTo(core)));
  const measured: Measured[] = [];
  const versions: Record<string, string> = {};
  try {
    const known = new Map<WorkerProcess, string[]>();
    for (const worker of workers) {
      const { version, operations } = await worker.hello();
      versions[worker.library.name] = version;
      known.set(worker, operations);
    }
    say(Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', '));
    const references = JSON.parse(readFileSync(here('reference.json'), 'utf8')) as References;
    for (const group of new Set(chosen.map((work) => work.group))) {
      const ofGroup: Measured[] = [];
      for (const work of chosen.filter((work) => work.group === group)) {
        const able = workers.filter((worker) => known.get(worker)!.includes(work.operation) && !isTooSlow(worker.library, work.operation));
        const found = await measure(work, able, references[work.name], options.quick ? quick : full);
        const outcomes = libraries.map(({ name }) => found.find(({ library }) => library === name) ?? { library: name });
        ofGroup.push({ work, outcomes });
      }
      measured.push(...ofGroup);
      const peers = libraries.filter(({ peer }) => peer).map(({ name }) => name);
      say(['', groupTable(ofGroup, own, peers), ...notes(ofGroup)].join('\n'));
    }
  } finally {
    for (const worker of workers) worker.close();
  }
  const results = {
    machine,
    versions,
    cases: measured.map(({ work, outcomes }) => ({ name: work.name, unit: work.unit.name, outcomes })),
  };
  const text = `${JSON.stringify(results, null, 1)}\n`;
  mkdirSync(here('results'), { recursive: true });
  const file = here(`results/${options.quick ? 'quick' : 'full'}-${threads}-${machine.node.split('.')[0]}.json`);
  writeFileSync(file, text);
  say(`\nwritten to ${file}`);
  if (json) process.stdout.write(text);
}

async function chooseLibraries(): Promise<Library[]> {
  const wanted = (name: string): boolean => options.libraries.length === 0 || options.libraries.includes(name);
  const chosen = javascriptLibraries.filter(({ name }) => wanted(name));
  if (chosen.some(({ peer }) => peer)) {
    installPeers();
    await bundlePeers();
  }
  const torch = wanted('torch') ? findTorch(options.threads) : null;
  if (wanted('torch') && torch === null) say('PyTorch is left out: no python3 can import torch');
  return torch === null ? chosen : [...chosen, torch];
}

function isTooSlow({ name, slow = [] }: Library, operation: string): boolean {
  return options.quick && !options.libraries.includes(name) && slow.includes(operation);
}

async function writeReferences(): Promise<void> {
  const torch = findTorch(options.threads);
  if (torch === null) throw new Error('no python3 can import torch, which references are computed with');
  const worker = new WorkerProcess(torch, [], { BENCHMARK_REFERENCE: '1' });
  const references: References = {};
  try {
    for (const work of cases) references[work.name] = await worker.prepare(work);
  } finally {
    worker.close();
  }
  writeFileSync(here('reference.json'), `${JSON.stringify(references)}\n`);
  say(`references of ${cases.length} cases are in ${here('reference.json')}`);
}
