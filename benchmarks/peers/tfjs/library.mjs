// The parts of TensorFlow.js that the operations share.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';

export { tf };

/** The inputs as tensors. */
export function tensors(inputs, shapes) {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, values]) => [
      name,
      tf.tensor(values, shapes[name], values instanceof Int32Array ? 'int32' : 'float32'),
    ]),
  );
}

/** Images [n, c, h, w] as [n, h, w, c], which is the layout here. */
export const toChannelsLast = (x) => tf.transpose(x, [0, 2, 3, 1]);

/** Kernels [out, in, h, w] as [h, w, in, out]. */
export const toKernel = (w) => tf.transpose(w, [2, 3, 1, 0]);

const SQRT_TWO_OVER_PI = Math.sqrt(2 / Math.PI);

/** GELU by its tanh formula. */
export function gelu(x) {
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715)), SQRT_TWO_OVER_PI);
  return tf.mul(tf.mul(x, tf.add(tf.tanh(inner), 1)), 0.5);
}

/** Layer normalization over the last dimension. */
export function layerNorm(x, weight, bias) {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), weight), bias);
}

/**
 * Everything that `step` of the adapter made is freed, save what it returns; that lives until the next step.
 */
export function keepingLast(compute, read) {
  let last = [];
  return {
    step: () => {
      const next = tf.tidy(compute);
      tf.dispose(last);
      last = next;
    },
    results: () => read(last),
    dispose: () => tf.dispose(last),
  };
}
