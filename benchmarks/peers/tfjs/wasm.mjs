import path from 'node:path';
import { adapterFor, require } from './library.mjs';

const wasm = require('@tensorflow/tfjs-backend-wasm');
wasm.setWasmPaths(`${path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
export const adapter = await adapterFor('wasm');
