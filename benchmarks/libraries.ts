import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A library and how its process is started. */
export interface Library {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it is a JavaScript library other than ours. */
  readonly peer: boolean;
  /** Operations that take it seconds a step: left out unless asked for by name. */
  readonly slow?: readonly string[];
  /** Whether more than one thread can be asked for; the others stay at one. */
  readonly threads?: boolean;
}

/** A file of this folder. */
export function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

const javascript = (adapter: string): string[] => [
  process.execPath,
  here('../packages/dev/run.mjs'),
  'benchmarks/worker.ts',
  here(adapter),
];

const networks = ['conv-backward', 'lenet-adam', 'gpt-adamw', 'lstm-sgd'];

/** The libraries written in JavaScript. */
export const javascriptLibraries: readonly Library[] = [
  { name: 'tapegrad', command: javascript('tapegrad/index.ts'), peer: false, threads: true },
  { name: 'tfjs-cpu', command: javascript('peers/tfjs/cpu.mjs'), peer: true, slow: ['mlp-sgd', 'mlp-adam', ...networks] },
  { name: 'tfjs-wasm', command: javascript('peers/tfjs/wasm.mjs'), peer: true, slow: ['gpt-adamw'] },
  { name: 'jax-js', command: javascript('peers/jax/index.mjs'), peer: true, slow: ['conv-forward', 'conv-backward'] },
];

/** PyTorch, if some python3 can import it: the first on PATH, else the system's. */
export function findTorch(threads: number): Library | null {
  const python = ['python3', '/usr/bin/python3'].find(
    (program) => spawnSync(program, ['-c', 'import torch, numpy'], { stdio: 'ignore' }).status === 0,
  );
  if (python === undefined) return null;
  const env = { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads), BENCHMARK_THREADS: String(threads) };
  return { name: 'torch', command: [python, here('peers/torch/worker.py')], env, peer: false, threads: true };
}

/** Installs the peers, once; they are no part of the workspace, so that nobody has to wait for them who does not compare. */
export function installPeers(): void {
  if (existsSync(here('peers/node_modules/.package-lock.json'))) return;
  console.error('installing the libraries to compare with (once) …');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: here('peers'),
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('the libraries to compare with could not be installed; what npm said is above');
}
