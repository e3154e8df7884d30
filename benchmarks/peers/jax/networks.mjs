// Training steps of jax-js: gradient and optimizer in one compiled function, the optimizers by hand.
import { blockUntilReady, jit, lax, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { arrays, layerNorm } from './library.mjs';

const sgd = ({ lr, momentum = 0 }) => ({
  state: (p) => (momentum === 0 ? {} : zeros(p)),
  update: (p, g, state) =>
    momentum === 0
      ? { p: p.sub(g.mul(lr)), state: {} }
      : ((velocity) => ({ p: p.sub(velocity.ref.mul(lr)), state: velocity }))(state.mul(momentum).add(g)),
});

const adam = ({ lr, weightDecay = 0 }) => ({
  state: (p) => ({ m: zeros(p), v: zeros(p) }),
  update: (p, g, { m, v }, [correction1, correction2]) => {
    const mean = m.mul(0.9).add(g.ref.mul(0.1));
    const square = v.mul(0.999).add(np.square(g).mul(0.001));
    const root = np.sqrt(square.ref.div(correction2)).add(1e-8);
    const direction = mean.ref.div(correction1).div(root);
    return { p: p.mul(1 - lr * weightDecay).sub(direction.mul(lr)), state: { m: mean, v: square } };
  },
});

function zeros(p) {
  return np.zeros(p.shape);
}

/** A training step; `computeLoss(parameters, data)` consumes both. */
function training(inputs, shapes, dataNames, computeLoss, { state: start, update }) {
  const all = arrays(inputs, shapes);
  const data = Object.fromEntries(dataNames.map((name) => [name, all[name]]));
  let parameters = Object.fromEntries(Object.entries(all).filter(([name]) => !dataNames.includes(name)));
  let state = Object.fromEntries(Object.entries(parameters).map(([name, p]) => [name, start(p)]));
  let loss = null;
  let count = 0;
  const run = jit((parameters, state, data, corrections) => {
    const [loss, gradients] = valueAndGrad(computeLoss)(tree.ref(parameters), data);
    const next = { loss, parameters: {}, state: {} };
    for (const name of Object.keys(parameters)) {
      const changed = update(
        parameters[name],
        gradients[name],
        state[name],
        corrections.map((c) => c.ref),
      );
      next.parameters[name] = changed.p;
      next.state[name] = changed.state;
    }
    return next;
  });
  return {
    step: async () => {
      count++;
      const corrections = [0.9, 0.999].map((beta) => np.array(1 - beta ** count));
      const next = await blockUntilReady(run(parameters, state, tree.ref(data), corrections));
      if (loss !== null) loss.dispose();
      ({ loss, parameters, state } = next);
    },
    results: async () => ({ loss: await loss.ref.data() }),
    dispose: () => tree.dispose([parameters, state, data, loss]),
  };
}

const linear = (x, w, b) => np.matmul(x, np.transpose(w)).add(b);

function crossEntropy(logits, labels, classes) {
  return np.mean(np.sum(nn.logSoftmax(logits, -1).mul(nn.oneHot(labels, classes)), -1)).neg();
}

const tiny = (inputs, sizes, shapes) =>
  training(
    inputs,
    shapes,
    ['x', 'target'],
    (p, { x, target }) => {
      const hidden = np.tanh(linear(np.tanh(linear(x, p.w1, p.b1)), p.w2, p.b2));
      return np.mean(np.square(linear(hidden, p.w3, p.b3).sub(target)));
    },
    sgd(sizes),
  );

const layers = (p, x) => linear(nn.relu(linear(nn.relu(linear(x, p.w1, p.b1)), p.w2, p.b2)), p.w3, p.b3);

const mlp = (optimizer) => (inputs, sizes, shapes) =>
  training(
    inputs,
    shapes,
    ['x', 'labels'],
    (p, { x, labels }) => crossEntropy(layers(p, x), labels, 10),
    optimizer(sizes),
  );

function pool(x) {
  const [n, c, h, w] = x.shape;
  return np.max(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
}

function convolution(x, w, b, pad) {
  const padding = [
    [pad, pad],
    [pad, pad],
  ];
  return lax.convGeneralDilated(x, w, [1, 1], padding).add(b.reshape([1, -1, 1, 1]));
}

const lenet = (inputs, sizes, shapes) =>
  training(
    inputs,
    shapes,
    ['x', 'labels'],
    ({ c1, cb1, c2, cb2, ...p }, { x, labels }) => {
      const first = pool(nn.relu(convolution(x, c1, cb1, 2)));
      const second = pool(nn.relu(convolution(first, c2, cb2, 0)));
      return crossEntropy(layers(p, second.reshape([-1, 400])), labels, 10);
    },
    adam(sizes),
  );

function lstm(inputs, sizes, shapes) {
  const { batch, steps, hidden } = sizes;
  const computeLoss = ({ iw, ib, hw, hb, w, b }, { x, labels }) => {
    const projected = linear(x.reshape([steps * batch, -1]), iw, ib).reshape([steps, batch, 4 * hidden]);
    let [h, c] = [np.zeros([batch, hidden]), np.zeros([batch, hidden])];
    for (const input of np.split(projected, steps, 0)) {
      const gates = input.reshape([batch, 4 * hidden]).add(linear(h, hw.ref, hb.ref));
      const [i, f, g, o] = np.split(gates, 4, 1);
      c = nn
        .sigmoid(f)
        .mul(c)
        .add(nn.sigmoid(i).mul(np.tanh(g)));
      h = nn.sigmoid(o).mul(np.tanh(c.ref));
    }
    return crossEntropy(linear(h, w, b), labels, 10);
  };
  return training(inputs, shapes, ['x', 'labels'], computeLoss, sgd(sizes));
}

function gpt(inputs, sizes, shapes) {
  const { tokens, block, batch, layers, width, heads } = sizes;
  const head = [batch, block, heads, width / heads];
  const attention = (x, w, b) => {
    const parts = np.split(linear(x, w, b), 3, 1);
    const [q, k, v] = parts.map((part) => np.transpose(part.reshape(head), [0, 2, 1, 3]));
    // By hand: nn.dotProductAttention needs iterator helpers, which Node 20 does not have.
    const later = np.tri(block).sub(1).mul(1e9);
    const scores = np.matmul(q, np.transpose(k, [0, 1, 3, 2])).mul((width / heads) ** -0.5);
    const mixed = np.matmul(nn.softmax(scores.add(later), -1), v);
    return np.transpose(mixed, [0, 2, 1, 3]).reshape([batch * block, width]);
  };
  const computeLoss = (p, { ids, labels }) => {
    const token = np.matmul(nn.oneHot(ids.reshape([-1]), tokens), p.tokenw).reshape([batch, block, width]);
    let x = token.add(p.positionw).reshape([batch * block, width]);
    for (let l = 0; l < layers; l++) {
      const at = (name) => p[`${l}.${name}`];
      const mixed = attention(layerNorm(x.ref, at('norm1w'), at('norm1b')), at('qkvw'), at('qkvb'));
      x = x.add(linear(mixed, at('projectw'), at('projectb')));
      const up = nn.gelu(linear(layerNorm(x.ref, at('norm2w'), at('norm2b')), at('upw'), at('upb')));
      x = x.add(linear(up, at('downw'), at('downb')));
    }
    return crossEntropy(np.matmul(layerNorm(x, p.normw, p.normb), np.transpose(p.headw)), labels, tokens);
  };
  return training(inputs, shapes, ['ids', 'labels'], computeLoss, adam(sizes));
}

export const networks = {
  'mlp-tiny-sgd': tiny,
  'mlp-sgd': mlp(sgd),
  'mlp-adam': mlp(adam),
  'lenet-adam': lenet,
  'lstm-sgd': lstm,
  'gpt-adamw': gpt,
};
