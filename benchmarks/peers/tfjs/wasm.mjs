import { fileURLToPath } from 'node:url';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { adapterFor } from './adapter.mjs';

// Relative to the bundle of this file, see peers.ts.
setWasmPaths(fileURLToPath(new URL('../@tensorflow/tfjs-backend-wasm/dist/', import.meta.url)));
export const adapter = await adapterFor('wasm');
