// Training steps of TensorFlow.js, as its users write them.
import { gelu, keepingLast, layerNorm, tensors, tf, toChannelsLast, toKernel } from './library.mjs';

const adam = ({ lr }) => tf.train.adam(lr, 0.9, 0.999, 1e-8);
const sgd = ({ lr }) => tf.train.sgd(lr);
const momentum = ({ lr, momentum }) => tf.train.momentum(lr, momentum);

/** One step; `minimize` of the optimizer unless something else has to happen with the gradients. */
function training(variables, computeLoss, optimizer, minimize = () => optimizer.minimize(computeLoss, true)) {
  const timed = keepingLast(minimize, (loss) => ({ loss: loss.dataSync() }));
  return { ...timed, dispose: () => (timed.dispose(), tf.dispose(variables)) };
}

function split(inputs, shapes, data) {
  const all = tensors(inputs, shapes);
  const named = {};
  for (const [name, x] of Object.entries(all)) named[name] = data.includes(name) ? x : tf.variable(x);
  return named;
}

const linear = (x, w, b) => tf.add(tf.matMul(x, w, false, true), b);
const crossEntropy = (logits, oneHot) => tf.losses.softmaxCrossEntropy(oneHot, logits);

function tiny(inputs, sizes, shapes) {
  const p = split(inputs, shapes, ['x', 'target']);
  const loss = () => {
    const hidden = tf.tanh(linear(tf.tanh(linear(p.x, p.w1, p.b1)), p.w2, p.b2));
    return tf.losses.meanSquaredError(p.target, linear(hidden, p.w3, p.b3));
  };
  return training(p, loss, sgd(sizes));
}

const layers = (p, x) => linear(tf.relu(linear(tf.relu(linear(x, p.w1, p.b1)), p.w2, p.b2)), p.w3, p.b3);

function mlp(optimizer) {
  return (inputs, sizes, shapes) => {
    const p = split(inputs, shapes, ['x', 'labels']);
    const oneHot = tf.oneHot(p.labels, 10);
    return training(p, () => crossEntropy(layers(p, p.x), oneHot), optimizer(sizes));
  };
}

function lenet(inputs, sizes, shapes) {
  const { c1, c2, w1, ...rest } = tensors(inputs, shapes);
  // Flattening an image with its channels last needs the columns of the first linear layer in that order.
  const columns = w1.reshape([120, 16, 5, 5]).transpose([0, 2, 3, 1]).reshape([120, 400]);
  const p = { ...rest, c1: toKernel(c1), c2: toKernel(c2), w1: columns };
  for (const name of Object.keys(p)) if (name !== 'x' && name !== 'labels') p[name] = tf.variable(p[name]);
  const x = toChannelsLast(p.x);
  const oneHot = tf.oneHot(p.labels, 10);
  const pool = (x) => tf.maxPool(x, 2, 2, 'valid');
  const loss = () => {
    const first = pool(tf.relu(tf.add(tf.conv2d(x, p.c1, 1, 'same'), p.cb1)));
    const second = pool(tf.relu(tf.add(tf.conv2d(first, p.c2, 1, 'valid'), p.cb2)));
    return crossEntropy(layers(p, tf.reshape(second, [-1, 400])), oneHot);
  };
  return training(p, loss, adam(sizes));
}

function lstm(inputs, sizes, shapes) {
  const { batch, steps, hidden } = sizes;
  const p = split(inputs, shapes, ['x', 'labels']);
  const oneHot = tf.oneHot(p.labels, 10);
  const flat = tf.reshape(p.x, [steps * batch, -1]);
  const start = tf.zeros([batch, hidden]);
  const loss = () => {
    let [h, c] = [start, start];
    for (const input of tf.split(linear(flat, p.iw, p.ib), steps)) {
      const [i, f, g, o] = tf.split(tf.add(input, linear(h, p.hw, p.hb)), 4, 1);
      c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      h = tf.mul(tf.sigmoid(o), tf.tanh(c));
    }
    return crossEntropy(linear(h, p.w, p.b), oneHot);
  };
  return training(p, loss, sgd(sizes));
}

function gpt(inputs, sizes, shapes) {
  const { tokens, block, batch, layers, width, heads, lr, weightDecay } = sizes;
  const p = split(inputs, shapes, ['ids', 'labels']);
  const oneHotIds = tf.oneHot(tf.reshape(p.ids, [-1]), tokens).toFloat();
  const oneHot = tf.oneHot(p.labels, tokens);
  const mask = tf.tidy(() => {
    const places = tf.range(0, block);
    const later = tf.greater(tf.expandDims(places, 0), tf.expandDims(places, 1));
    return tf.where(later, tf.scalar(-1e9), tf.scalar(0));
  });
  const scale = (width / heads) ** -0.5;
  const attention = (x, l) => {
    const parts = tf.split(linear(x, p[`${l}.qkvw`], p[`${l}.qkvb`]), 3, 1);
    const [q, k, v] = parts.map((part) =>
      tf.transpose(tf.reshape(part, [batch, block, heads, -1]), [0, 2, 1, 3]),
    );
    const weights = tf.softmax(tf.add(tf.mul(tf.matMul(q, k, false, true), scale), mask));
    return tf.reshape(tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]), [batch * block, width]);
  };
  const computeLoss = () => {
    // Rows picked by a product: the backend has no kernel for the gradient of gather.
    const token = tf.reshape(tf.matMul(oneHotIds, p.tokenw), [batch, block, width]);
    let x = tf.reshape(tf.add(token, p.positionw), [batch * block, width]);
    for (let l = 0; l < layers; l++) {
      const mixed = attention(layerNorm(x, p[`${l}.norm1w`], p[`${l}.norm1b`]), l);
      x = tf.add(x, linear(mixed, p[`${l}.projectw`], p[`${l}.projectb`]));
      const up = gelu(linear(layerNorm(x, p[`${l}.norm2w`], p[`${l}.norm2b`]), p[`${l}.upw`], p[`${l}.upb`]));
      x = tf.add(x, linear(up, p[`${l}.downw`], p[`${l}.downb`]));
    }
    return crossEntropy(tf.matMul(layerNorm(x, p.normw, p.normb), p.headw, false, true), oneHot);
  };
  const optimizer = adam({ lr });
  const variables = Object.values(p).filter((x) => x instanceof tf.Variable);
  return training(p, computeLoss, optimizer, () => {
    const { value, grads } = tf.variableGrads(computeLoss, variables);
    for (const variable of variables) variable.assign(tf.mul(variable, 1 - lr * weightDecay));
    optimizer.applyGradients(grads);
    return value;
  });
}

export const networks = {
  'mlp-tiny-sgd': tiny,
  'mlp-sgd': mlp(momentum),
  'mlp-adam': mlp(adam),
  'lenet-adam': lenet,
  'lstm-sgd': lstm,
  'gpt-adamw': gpt,
};
