import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Tensor } from '../src/index.ts';

type Library = typeof import('../src/index.ts');

let said: string[] = [];
let tg: Library;

/** A library that has not pointed out anything yet, for the tests of one group. */
async function load(): Promise<void> {
  jest.resetModules();
  tg = (await import('../src/index.ts')) as Library;
}

beforeEach(() => {
  said = [];
  jest.spyOn(console, 'warn').mockImplementation((message: unknown) => {
    said.push(String(message));
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** A mistake, made in a way that names the line of this file. */
interface Mistake {
  readonly make: () => void;
  readonly message: RegExp;
}

function modelWithDropout() {
  const { nn } = tg;
  return new nn.Sequential(new nn.Linear(3, 4), new nn.Dropout(0.5), new nn.Linear(4, 1));
}

const lossOf = (model: { (x: Tensor): Tensor }): Tensor => model(tg.ones([2, 3])).square().mean();

/** Steps as they should be. */
function train(model: ReturnType<typeof modelWithDropout>, optimizer: InstanceType<Library['optim']['SGD']>, steps = 3): void {
  for (let i = 0; i < steps; i++) {
    optimizer.zeroGrad();
    lossOf(model).backward();
    optimizer.step();
  }
}

const mistakes: Readonly<Record<string, Mistake>> = {
  'a step without a fresh backward': {
    make: () => {
      const model = modelWithDropout();
      const optimizer = new tg.optim.SGD(model.parameters(), { lr: 0.1 });
      lossOf(model).backward();
      optimizer.step();
      optimizer.step();
    },
    message: /SGD\.step\(\) uses the gradients of the last step once more/,
  },
  'a step without any backward': {
    make: () => {
      const model = modelWithDropout();
      const optimizer = new tg.optim.SGD(model.parameters(), { lr: 0.1 });
      lossOf(model).backward();
      optimizer.zeroGrad();
      optimizer.step();
    },
    message: /SGD\.step\(\) finds no gradients, although Sequential was called/,
  },
  'gradients added to those of a taken step': {
    make: () => {
      const model = modelWithDropout();
      const optimizer = new tg.optim.SGD(model.parameters(), { lr: 0.1 });
      for (let i = 0; i < 2; i++) {
        lossOf(model).backward();
        optimizer.step();
      }
    },
    message: /those of the last step were added\. Call zeroGrad\(\)/,
  },
  'a column against a row in a loss': {
    make: () => void tg.nn.functional.mseLoss(tg.ones([4, 1]), tg.ones([4])),
    message: /mseLoss: the input is \[4, 1\], but the target is \[4\]\. Use input\.squeeze\(1\)/,
  },
  'softmax in front of crossEntropy': {
    make: () => {
      const labels = tg.tensor([0, 1], { dtype: 'int32' });
      const model = new tg.nn.Linear(3, 2);
      for (let i = 0; i < 3; i++) tg.nn.functional.crossEntropy(model(tg.ones([2, 3])), labels);
      tg.nn.functional.crossEntropy(model(tg.ones([2, 3])).softmax(1).unsqueeze(2).squeeze(2), labels);
    },
    message: /crossEntropy: the scores are probabilities/,
  },
  'softmax in front of nllLoss': {
    make: () => void tg.nn.functional.nllLoss(new tg.nn.Linear(3, 2)(tg.ones([2, 3])).softmax(1), tg.tensor([0, 1], { dtype: 'int32' })),
    message: /nllLoss: the input is what softmax gave/,
  },
  'a sigmoid in front of BCEWithLogitsLoss': {
    make: () => {
      const model = new tg.nn.Sequential(new tg.nn.Linear(3, 1), new tg.nn.Sigmoid());
      new tg.nn.BCEWithLogitsLoss()(model(tg.ones([2, 3])).squeeze(1), tg.ones([2]));
    },
    message: /binaryCrossEntropyWithLogits: the input is what a sigmoid gave/,
  },
  'training in evaluation mode': {
    make: () => {
      const model = modelWithDropout();
      const optimizer = new tg.optim.SGD(model.parameters(), { lr: 0.1 });
      train(model, optimizer);
      model.eval();
      tg.noGrad(() => void lossOf(model));
      optimizer.zeroGrad();
      lossOf(model).backward();
      optimizer.step();
    },
    message: /SGD\.step\(\) changes Sequential in evaluation mode, where Dropout does something else .* Call train\(\)/,
  },
  'a sum of losses with their graphs': {
    make: () => {
      const model = modelWithDropout();
      const optimizer = new tg.optim.SGD(model.parameters(), { lr: 0.1 });
      let total = tg.zeros([]);
      for (let i = 0; i < 20; i++) {
        optimizer.zeroGrad();
        const loss = lossOf(model);
        loss.backward();
        optimizer.step();
        total = total.add(loss);
      }
      total.div(20).item();
    },
    message: /item: at least 16 losses .* total \+= loss\.item\(\)/,
  },
  'parameters that no optimizer has': {
    make: () => {
      const { Linear, Sequential } = tg.nn;
      const model = new Sequential(new Linear(3, 4), ...Array.from({ length: 10 }, () => new Linear(4, 4)), new Linear(4, 1));
      const optimizer = new tg.optim.SGD(model[0]!.parameters(), { lr: 0.1 });
      lossOf(model).backward();
      optimizer.step();
    },
    message: /SGD\.step\(\): no optimizer has these parameters of Sequential, which get gradients: 1\.weight, 1\.bias, 2\.weight, … \(22 in all\)\./,
  },
};

describe('mistakes', () => {
  beforeAll(load);

  it.each(Object.entries(mistakes))('are pointed out, once, with the line: %s', (_, { make, message }) => {
    make();
    make();
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(message);
    expect(said[0]).toMatch(/\n.*training-habits\.test\.ts:\d+/);
  });
});

describe('mistakes, when told so,', () => {
  beforeAll(async () => {
    await load();
    tg.setWarnings(false);
  });

  it.each(Object.entries(mistakes))('are not pointed out: %s', (_, { make }) => {
    make();
    expect(said).toEqual([]);
  });
});

describe('programs that are right', () => {
  beforeAll(load);

  it('train and evaluate in epochs, with sums of numbers', () => {
    const model = modelWithDropout();
    const optimizer = new tg.optim.SGD(model.parameters(), { lr: 0.1 });
    for (let epoch = 0; epoch < 20; epoch++) {
      let total = 0;
      model.train();
      optimizer.zeroGrad();
      const loss = lossOf(model);
      loss.backward();
      optimizer.step();
      total += loss.item();
      model.eval();
      // Without noGrad, which is wasteful but right.
      total += lossOf(model).item();
      expect(total).toBeGreaterThan(0);
    }
    expect(said).toEqual([]);
  });

  it('keep parts of a model in evaluation', () => {
    const { nn } = tg;
    const model = new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.Linear(4, 1));
    const optimizer = new tg.optim.SGD(model.parameters(), { lr: 0.1 });
    for (let i = 0; i < 3; i++) {
      model.train();
      model[1]!.eval();
      optimizer.zeroGrad();
      lossOf(model as never).backward();
      optimizer.step();
    }
    expect(said).toEqual([]);
  });

  it('train a model without dropout in evaluation, judged by another', () => {
    const { nn } = tg;
    const plain = new nn.Linear(3, 3).eval();
    const judge = modelWithDropout().eval();
    const optimizer = new tg.optim.SGD(plain.parameters(), { lr: 0.1 });
    for (let i = 0; i < 3; i++) {
      optimizer.zeroGrad();
      judge(plain(tg.ones([2, 3]))).square().mean().backward();
      optimizer.step();
    }
    expect(said).toEqual([]);
  });

  it('train two models in turn, and add losses of several passes for printing', () => {
    const { nn } = tg;
    const [maker, critic] = [modelWithDropout(), new nn.Sequential(new nn.Linear(1, 1))];
    const own = new tg.optim.SGD(maker.parameters(), { lr: 0.1 });
    const other = new tg.optim.SGD(critic.parameters(), { lr: 0.1 });
    for (let i = 0; i < 4; i++) {
      other.zeroGrad();
      const made = maker(tg.ones([2, 3]));
      const real = critic(tg.ones([2, 1])).square().mean();
      real.backward();
      const fake = critic(made.detach()).square().mean();
      fake.backward();
      other.step();
      expect(real.add(fake).item()).toBeGreaterThanOrEqual(0);
      own.zeroGrad();
      critic(made).square().mean().backward();
      own.step();
    }
    expect(said).toEqual([]);
  });

  it('leave out frozen parameters, and divide parameters among groups and optimizers', () => {
    const { nn } = tg;
    const model = new nn.Sequential(new nn.Linear(3, 4), new nn.Linear(4, 4), new nn.Linear(4, 1));
    model[0]!.requiresGrad_(false);
    const [, , weight, bias, ...rest] = model.parameters();
    const first = new tg.optim.SGD([{ params: [weight!], weightDecay: 0.1 }, { params: [bias!] }], { lr: 0.1 });
    const second = new tg.optim.Adam(rest);
    for (let i = 0; i < 3; i++) {
      for (const optimizer of [first, second]) optimizer.zeroGrad();
      lossOf(model as never).backward();
      for (const optimizer of [first, second]) optimizer.step();
    }
    expect(said).toEqual([]);
  });

  it('give logarithms of softmax, and scores weighted by sigmoids, to losses', () => {
    const scores = new tg.nn.Linear(3, 2)(tg.ones([2, 3]));
    const labels = tg.tensor([0, 1], { dtype: 'int32' });
    tg.nn.functional.nllLoss(scores.logSoftmax(1), labels);
    tg.nn.functional.crossEntropy(scores.mul(scores.softmax(1)), labels);
    tg.nn.functional.binaryCrossEntropyWithLogits(scores.mul(scores.sigmoid()), tg.ones([2, 2]));
    tg.nn.functional.binaryCrossEntropy(scores.sigmoid(), tg.ones([2, 2]));
    expect(said).toEqual([]);
  });
});
