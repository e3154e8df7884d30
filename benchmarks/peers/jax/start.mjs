import { defaultDevice, grad, init, numpy as np } from '@jax-js/jax';

await init('wasm');
defaultDevice('wasm');
const gradient = grad((w) => np.sum(np.tanh(np.array([1, 2, 3]).mul(w))));
console.log(gradient(np.array([0.5, -1, 2])).js());
