import { spawnSync } from 'node:child_process';
import { here } from './here.ts';

/** A library and how its process is started. */
export interface Library {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it is a JavaScript library other than ours. */
  readonly peer: boolean;
  /** Operations that take it seconds to compile or to run: left out of a quick run. */
  readonly slow?: readonly string[];
  /** Program that prints a first gradient and ends. */
  readonly start: readonly string[];
  /** Packages that a user installs, for their size; ours lie in the workspace. */
  readonly packages?: readonly string[];
  /** What a bundler is given for the smallest page, and files that the page loads beside the bundle. */
  readonly page?: { readonly entry: string; readonly assets?: readonly string[] };
}

const javascript = (adapter: string, flags: readonly string[] = []): string[] => [
  process.execPath,
  ...flags,
  here('../packages/dev/run.mjs'),
  here('worker.ts'),
  here(adapter),
];

/** Ours is measured as it is published. */
const built = { TAPEGRAD_BUILT: '1' };

const networks = ['conv-backward', 'lenet-adam', 'gpt-adamw', 'lstm-sgd'];

const bundled = 'peers/node_modules/.bundles';
const script = (file: string): string[] => [process.execPath, here(file)];

/** The libraries written in JavaScript. */
export const javascriptLibraries: readonly Library[] = [
  {
    name: 'tapegrad',
    command: javascript('tapegrad/index.ts'),
    env: built,
    peer: false,
    start: script('tapegrad/start.mjs'),
    packages: ['@tapegrad/core', '@tapegrad/nn', '@tapegrad/optim'],
    page: { entry: 'tapegrad/start.mjs' },
  },
  {
    name: 'tfjs-cpu',
    command: javascript(`${bundled}/cpu.mjs`),
    peer: true,
    slow: ['gelu', 'softmax', 'layer-norm', 'mlp-sgd', 'mlp-adam', 'conv-forward', ...networks],
    start: script(`${bundled}/start-cpu.mjs`),
    packages: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu'],
    page: { entry: 'peers/tfjs/start-cpu.mjs' },
  },
  {
    name: 'tfjs-wasm',
    command: javascript(`${bundled}/wasm.mjs`),
    peer: true,
    slow: ['gpt-adamw', 'lstm-sgd'],
    start: script(`${bundled}/start-wasm.mjs`),
    packages: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'],
    page: {
      entry: 'peers/tfjs/start-wasm.mjs',
      assets: ['peers/node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm'],
    },
  },
  {
    name: 'jax-js',
    // Compiling a chain of 1 000 ops recurses deeply.
    command: javascript('peers/jax/index.mjs', ['--stack-size=7000']),
    peer: true,
    slow: ['chain', 'conv-forward', ...networks],
    start: script('peers/jax/start.mjs'),
    packages: ['@jax-js/jax'],
    page: { entry: 'peers/jax/start.mjs' },
  },
];

/** Tapegrad with the products of matrices computed by a BLAS, if the system has one. */
export function tapegradWithBlas(threads: number): Library {
  return {
    name: 'tapegrad+blas',
    command: javascript('tapegrad/blas.ts'),
    peer: false,
    start: script('tapegrad/start-blas.mjs'),
    env: { ...built, TAPEGRAD_NUM_THREADS: String(threads) },
  };
}

/** Tapegrad on one thread beside the same on several, for what the others are worth. */
export function onOneThread(tapegrad: Library): Library {
  return { ...tapegrad, name: oneThread, env: { ...tapegrad.env, TAPEGRAD_NUM_THREADS: '1' } };
}

/** Name of that. */
export const oneThread = 'one thread';

/** PyTorch, if some python3 can import it: the first on PATH, else the system's. */
export function findTorch(threads: number): Library | null {
  const python = ['python3', '/usr/bin/python3'].find(
    (program) => spawnSync(program, ['-c', 'import torch, numpy'], { stdio: 'ignore' }).status === 0,
  );
  if (python === undefined) return null;
  const env = {
    OMP_NUM_THREADS: String(threads),
    OPENBLAS_NUM_THREADS: String(threads),
    BENCHMARK_THREADS: String(threads),
  };
  const [command, start] = [
    [python, here('peers/torch/worker.py')],
    [python, here('peers/torch/start.py')],
  ];
  return { name: 'torch', command, start, env, peer: false };
}
