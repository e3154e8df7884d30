// What the operations of jax-js share. Every use of an array consumes it; `.ref` is one more use.
import { blockUntilReady, jit, numpy as np, tree } from '@jax-js/jax';

/** The inputs as arrays. */
export function arrays(inputs, shapes) {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, values]) => [name, np.array(values).reshape([...shapes[name]])]),
  );
}

/** One compiled function of the named inputs; its results, an object, live until the next step. */
export function compiled(compute, named) {
  const run = jit(compute);
  let last = {};
  return {
    step: async () => {
      const next = await blockUntilReady(run(tree.ref(named)));
      tree.dispose(last);
      last = next;
    },
    results: async () => Object.fromEntries(await Promise.all(Object.entries(last).map(read))),
    dispose: () => tree.dispose([last, named]),
  };
}

async function read([name, x]) {
  return [name, await x.ref.data()];
}

/** Layer normalization over the last dimension. */
export function layerNorm(x, weight, bias) {
  const mean = np.mean(x.ref, -1, { keepdims: true });
  const centred = x.sub(mean);
  const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
  return centred
    .div(np.sqrt(variance.add(1e-5)))
    .mul(weight)
    .add(bias);
}
