import * as tg from 'tapegrad';
import type { DTypeName, Tensor } from 'tapegrad';

const { nn, optim } = tg;
const F = nn.functional;
const { lrScheduler } = optim;
const { packPaddedSequence, padPackedSequence, padSequence } = nn.utils.rnn;
const { DataLoader, TensorDataset, WeightedRandomSampler, randomSplit } = tg.data;

const STEPS = 16;

/** What `fitted` needs of an optimizer. */
interface Stepping {
  zeroGrad(): void;
  step(): void;
}

function fitted(lossOf: () => Tensor, optimizer: Stepping, after?: (loss: Tensor) => void): number[] {
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    optimizer.zeroGrad();
    const loss = lossOf();
    loss.backward();
    optimizer.step();
    after?.(loss);
    losses.push(loss.item());
  }
  return losses;
}

function packedGru(dtype: DTypeName): number[] {
  const sequences = [3, 7, 5, 6].map((n) => tg.randn([n, 5]).to(dtype));
  const lengths = tg.tensor(sequences.map((s) => s.size(0)));
  const x = padSequence(sequences, { batchFirst: true });
  const y = tg.randint(0, 3, [4]);
  const gru = new nn.GRU(5, 8, 2, { batchFirst: true, bidirectional: true, dropout: 0.25 });
  const head = new nn.Linear(32, 3);
  const model = new nn.ModuleDict({ gru, head }).to(dtype);
  const lossOf = (): Tensor => {
    const packed = packPaddedSequence(x, lengths, { batchFirst: true, enforceSorted: false });
    const [output, hidden] = gru(packed);
    const [padded, sizes] = padPackedSequence(output, { batchFirst: true });
    const mean = padded.sum(1).div(sizes.unsqueeze(1));
    return F.crossEntropy(head(tg.cat([mean, hidden.at(-1), hidden.at(-2)], 1)), y);
  };
  return fitted(lossOf, new optim.RMSprop(model.parameters(), { lr: 2e-3, momentum: 0.5, centered: true }));
}

function bidirectionalLstm(dtype: DTypeName): number[] {
  const x = tg.randn([4, 6, 5]).to(dtype);
  const y = tg.randint(0, 2, [4, 6]).to(dtype);
  const lstm = new nn.LSTM(5, 8, 3, { batchFirst: true, bidirectional: true, dropout: 0.5, projSize: 4 });
  const head = new nn.Linear(8, 1);
  const model = new nn.ModuleList([lstm, head]).to(dtype);
  const lossOf = (): Tensor => {
    const [output, [, c]] = lstm(x);
    return F.binaryCrossEntropyWithLogits(head(output).squeeze(-1), y).add(c.pow(2).mean().mul(0.01));
  };
  return fitted(lossOf, new optim.NAdam(model.parameters(), { lr: 5e-3 }));
}

class Classifier extends nn.Module {
  embedding = new nn.Embedding(12, 16, { paddingIdx: 0 });
  encoder: tg.nn.TransformerEncoder;
  head: tg.nn.Linear;

  constructor() {
    super();
    const layer = new nn.TransformerEncoderLayer(16, 4, {
      dimFeedforward: 32,
      dropout: 0.1,
      activation: 'gelu',
      batchFirst: true,
      normFirst: true,
    });
    this.encoder = new nn.TransformerEncoder(layer, 2, new nn.LayerNorm(16));
    this.head = new nn.Linear(16, 12);
  }

  forward(ids: Tensor): Tensor {
    const mask = nn.Transformer.generateSquareSubsequentMask(ids.size(1)).to(this.head.weight.dtype);
    const h = this.encoder(this.embedding(ids), { mask, srcKeyPaddingMask: ids.eq(0) });
    return this.head(h);
  }
}

function transformerEncoder(dtype: DTypeName): number[] {
  const ids = tg.randint(1, 12, [4, 7]);
  ids.setAt([1, '5:'], 0);
  ids.setAt([3, '3:'], 0);
  const model = new Classifier().to(dtype);
  const criterion = new nn.CrossEntropyLoss({ ignoreIndex: 0 });
  const lossOf = (): Tensor => {
    const logits = model(ids.at(':', ':-1'));
    return criterion(logits.transpose(1, 2), ids.at(':', '1:'));
  };
  const optimizer = new optim.RAdam(model.parameters(), { lr: 3e-3 });
  const scheduler = new lrScheduler.SequentialLR(
    optimizer,
    [
      new lrScheduler.LinearLR(optimizer, { startFactor: 0.1, totalIters: 5 }),
      new lrScheduler.CosineAnnealingLR(optimizer, STEPS - 5),
    ],
    [5],
  );
  return fitted(lossOf, optimizer, () => scheduler.step());
}

function transformer(dtype: DTypeName): number[] {
  const model = new nn.Transformer(8, 2, { numEncoderLayers: 1, numDecoderLayers: 2, dimFeedforward: 16 }).to(dtype);
  const src = tg.rand([5, 3, 8]).to(dtype);
  const tgt = tg.rand([4, 3, 8]).to(dtype);
  const mask = tg.triu(tg.full([4, 4], -Infinity), 1).to(dtype);
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3, betas: [0.9, 0.98], eps: 1e-9 });
  const scheduler = new lrScheduler.CosineAnnealingWarmRestarts(optimizer, 6, { tMult: 2, etaMin: 1e-5 });
  return fitted(() => F.mseLoss(model(src, tgt, { tgtMask: mask }), tgt), optimizer, () => scheduler.step());
}

class Norms extends nn.Module {
  down = new nn.Conv2d(3, 8, 3, { stride: 2, padding: 1, paddingMode: 'reflect' });
  group = new nn.GroupNorm(4, 8);
  depthwise = new nn.Conv2d(8, 8, 3, { padding: 'same', groups: 8, dilation: 2 });
  instance = new nn.InstanceNorm2d(8, { affine: true, trackRunningStats: true });
  up = new nn.ConvTranspose2d(8, 3, 4, { stride: 2, padding: 1 });
  layer = new nn.LayerNorm([3, 8, 8]);
  act = new nn.PReLU(8);

  constructor() {
    super();
    for (const m of this.modules()) {
      if (m instanceof nn.Conv2d || m instanceof nn.ConvTranspose2d) {
        nn.init.kaimingNormal_(m.weight, { mode: 'fan_out', nonlinearity: 'relu' });
        nn.init.constant_(m.bias!, 0.1);
      }
    }
  }

  forward(x: Tensor): Tensor {
    let h = this.act(this.group(this.down(x)));
    h = F.silu(this.instance(this.depthwise(h)));
    return this.layer(this.up(F.dropout2d(h, 0.2, this.training)));
  }
}

function norms(dtype: DTypeName): number[] {
  const x = tg.randn([6, 3, 8, 8]).to(dtype);
  const model = new Norms().to(dtype);
  const optimizer = new optim.Adamax(model.parameters(), { lr: 5e-3, weightDecay: 1e-3 });
  const scheduler = new lrScheduler.ReduceLROnPlateau(optimizer, { mode: 'min', factor: 0.5, patience: 1, threshold: 0.02 });
  const lossOf = (): Tensor => {
    const noisy = x.add(tg.randnLike(x).mul(0.1));
    return F.smoothL1Loss(model(noisy), x, { beta: 0.5 });
  };
  const losses = fitted(lossOf, optimizer, (loss) => scheduler.step(loss));
  model.eval();
  return [...losses, F.l1Loss(model(x), x).item(), optimizer.paramGroups[0]!.lr];
}

function embeddingBag(dtype: DTypeName): number[] {
  const ids = tg.randint(0, 30, [40]);
  const offsets = tg.tensor([0, 7, 12, 25, 31], { dtype: 'int64' });
  const y = tg.randn([5, 2]).to(dtype);
  const bag = new nn.EmbeddingBag(30, 6, { mode: 'mean' });
  const table = new nn.Embedding(30, 6, { maxNorm: 1, scaleGradByFreq: true });
  const bilinear = new nn.Bilinear(6, 6, 2);
  const model = new nn.ModuleList([bag, table, bilinear]).to(dtype);
  const weights = tg.multinomial(tg.ones(40), 5, { replacement: false });
  const lossOf = (): Tensor => {
    const picked = table(ids.at(weights));
    return F.huberLoss(bilinear(bag(ids, offsets), picked), y, { delta: 0.7 });
  };
  return fitted(lossOf, new optim.Adagrad(model.parameters(), { lr: 0.02, lrDecay: 0.01, eps: 1e-8 }));
}

function normedWeights(dtype: DTypeName): number[] {
  const x = tg.randn([16, 6]).to(dtype);
  const y = tg.sin(x).sum(1, { keepdim: true });
  const model = new nn.Sequential(
    new nn.Linear(6, 12),
    new nn.Tanh(),
    new nn.Linear(12, 12),
    new nn.Softplus(),
    new nn.AlphaDropout(0.1),
    new nn.Linear(12, 1),
  ).to(dtype);
  nn.utils.weightNorm(model.at(0));
  nn.utils.spectralNorm(model.at(2));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.02, momentum: 0.9 });
  const scheduler = new lrScheduler.CyclicLR(optimizer, 0.005, 0.03, { stepSizeUp: 4, mode: 'triangular2' });
  return fitted(() => F.mseLoss(model(x) as Tensor, y), optimizer, () => scheduler.step());
}

function lbfgs(dtype: DTypeName): number[] {
  const x = tg.rand([20, 1]).to(dtype);
  const y = tg.cos(x.mul(5));
  const model = new nn.Sequential(new nn.Linear(1, 6), new nn.Tanh(), new nn.Linear(6, 1)).to(dtype);
  const optimizer = new optim.LBFGS(model.parameters(), { lr: 0.5, maxIter: 4, historySize: 5, lineSearchFn: 'strong_wolfe' });
  const closure = (): Tensor => {
    optimizer.zeroGrad();
    const loss = F.mseLoss(model(x) as Tensor, y);
    loss.backward();
    return loss;
  };
  return Array.from({ length: 6 }, () => optimizer.step(closure).item());
}

function accumulation(dtype: DTypeName): number[] {
  const x = tg.randn([50, 4]).to(dtype);
  const y = x.sum(1).gt(0).long();
  const [trainSet, testSet] = randomSplit(new TensorDataset(x, y), [0.8, 0.2]) as unknown as [tg.data.Subset<Tensor[]>, tg.data.Subset<Tensor[]>];
  const layers = [new nn.Linear(4, 16), new nn.Dropout(0.2), new nn.ReLU(), new nn.Linear(16, 2)] as const;
  const model = new nn.Sequential(...layers).to(dtype);
  nn.init.xavierUniform_(layers[0].weight, nn.init.calculateGain('relu'));
  nn.init.xavierNormal_(layers[3].weight);
  const labels = Array.from({ length: trainSet.length }, (_, i) => (trainSet.get(i) as Tensor[])[1]!);
  const counts = tg.bincount(tg.stack(labels), { minlength: 2 });
  const weights = labels.map((label) => 1 / counts.at(label).item());
  const sampler = new WeightedRandomSampler(weights, trainSet.length, { replacement: true });
  const loader = new DataLoader(trainSet, { batchSize: 8, sampler, dropLast: true });
  const optimizer = new optim.SGD(
    [
      { params: layers[0].parameters(), lr: 0.05 },
      { params: layers[3].parameters(), momentum: 0.5, dampening: 0.1 },
    ],
    { lr: 0.1, momentum: 0.9 },
  );
  const scheduler = new lrScheduler.MultiStepLR(optimizer, [2, 4], { gamma: 0.3 });
  const losses: number[] = [];
  for (let epoch = 0; epoch < 6; epoch++) {
    model.train();
    optimizer.zeroGrad();
    let i = 0;
    for (const [xb, yb] of loader) {
      const loss = F.nllLoss(F.logSoftmax(model(xb!) as Tensor, 1), yb!).div(2);
      loss.backward();
      if (++i % 2 === 0) {
        nn.utils.clipGradValue_(model.parameters(), 0.5);
        optimizer.step();
        optimizer.zeroGrad();
      }
      losses.push(loss.item());
    }
    scheduler.step();
    model.eval();
    let correct = 0;
    tg.noGrad(() => {
      for (const [xb, yb] of new DataLoader(testSet, { batchSize: 4 })) {
        correct += (model(xb!) as Tensor).argmax(1).eq(yb!).sum().item();
      }
    });
    losses.push(correct / testSet.length);
  }
  return losses;
}

function elementary(dtype: DTypeName): number[] {
  const w1 = tg.normal(0, 0.3, [6, 10]).to(dtype).requiresGrad_();
  const b1 = tg.zeros(10, { dtype, requiresGrad: true });
  const w2 = tg.empty([10, 3]).uniform_(-0.2, 0.2).to(dtype).requiresGrad_();
  const x = tg.rand([30, 6]).to(dtype).mul(2).sub(1);
  const y = tg.randint(0, 3, [30]);
  const noise = tg.empty(10).exponential_(2).to(dtype);
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const h = tg.tanh(x.matmul(w1).add(b1)).mul(tg.bernoulli(tg.full([30, 10], 0.9, { dtype })));
    const logits = h.add(noise.mul(0.01)).matmul(w2);
    const picked = F.logSoftmax(logits, 1).at(tg.arange(30), y);
    const loss = picked.mean().neg().add(w1.abs().sum().add(w2.norm()).mul(1e-3));
    loss.backward();
    tg.noGrad(() => {
      for (const p of [w1, b1, w2]) {
        p.sub_(p.grad!.mul(0.1));
        p.grad = null;
      }
    });
    losses.push(loss.item());
  }
  return losses;
}

/** The ports of `variants.py`. */
export const trainings: Readonly<Record<string, (dtype: DTypeName) => number[]>> = {
  'packed gru': packedGru,
  'bidirectional lstm': bidirectionalLstm,
  'transformer encoder': transformerEncoder,
  transformer,
  norms,
  'embedding bag': embeddingBag,
  'normed weights': normedWeights,
  lbfgs,
  accumulation,
  elementary,
};
