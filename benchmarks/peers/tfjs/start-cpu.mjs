import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-backend-cpu';

const gradient = tf.grad((w) => tf.sum(tf.tanh(tf.mul(tf.tensor([1, 2, 3]), w))));
console.log(Array.from(gradient(tf.tensor([0.5, -1, 2])).dataSync()));
