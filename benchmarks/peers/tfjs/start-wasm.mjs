// Relative to the bundle of this file, see peers.ts.
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

setWasmPaths(fileURLToPath(new URL('../@tensorflow/tfjs-backend-wasm/dist/', import.meta.url)));
await tf.setBackend('wasm');
const gradient = tf.grad((w) => tf.sum(tf.tanh(tf.mul(tf.tensor([1, 2, 3]), w))));
console.log(Array.from(gradient(tf.tensor([0.5, -1, 2])).dataSync()));
