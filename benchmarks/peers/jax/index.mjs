import { readFileSync } from 'node:fs';
import { defaultDevice, init } from '@jax-js/jax';
import { networks } from './networks.mjs';
import { operations } from './operations.mjs';

await init('wasm');
defaultDevice('wasm');
const manifest = new URL('../node_modules/@jax-js/jax/package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, 'utf8'));

/** jax-js on its WebAssembly device, every step compiled by `jit`. */
export const adapter = { version, operations: { ...operations, ...networks } };
