import { spawnSync } from 'node:child_process';
import { here } from './here.ts';

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

const javascript = (adapter: string): string[] => [
  process.execPath,
  here('../packages/dev/run.mjs'),
  here('worker.ts'),
  here(adapter),
];

const networks = ['conv-backward', 'lenet-adam', 'gpt-adamw', 'lstm-sgd'];

/** The libraries written in JavaScript. */
export const javascriptLibraries: readonly Library[] = [
  { name: 'tapegrad', command: javascript('tapegrad/index.ts'), peer: false, threads: true },
  { name: 'tfjs-cpu', command: javascript('peers/node_modules/.bundles/cpu.mjs'), peer: true, slow: ['mlp-sgd', 'mlp-adam', ...networks] },
  { name: 'tfjs-wasm', command: javascript('peers/node_modules/.bundles/wasm.mjs'), peer: true, slow: ['gpt-adamw'] },
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
