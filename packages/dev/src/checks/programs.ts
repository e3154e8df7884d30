/** A layer, an optimizer and a gradient: what every page that trains carries. */
export const oneLayer = `import * as tg from 'tapegrad';
export function train() {
  const layer = new tg.nn.Linear(2, 1);
  const optimizer = new tg.optim.SGD(layer.parameters(), { lr: 0.1 });
  layer(tg.tensor([[1, 2]])).sum().backward();
  optimizer.step();
}`;

/**
 * A classifier of images by convolutions. Like all of these it names what it uses by way of imports: a bundler keeps
 * everything of a namespace that is taken apart (`const { nn } = tg`).
 */
export const classifier = `import { nn, noGrad, optim } from 'tapegrad';
export const model = new nn.Sequential(
  new nn.Conv2d(1, 8, 3, { padding: 1 }), new nn.BatchNorm2d(8), new nn.ReLU(), new nn.MaxPool2d(2),
  new nn.Conv2d(8, 16, 3, { padding: 1 }), new nn.BatchNorm2d(16), new nn.ReLU(), new nn.MaxPool2d(2),
  new nn.Flatten(), new nn.Dropout(0.25), new nn.Linear(16 * 7 * 7, 10),
);
const criterion = new nn.CrossEntropyLoss();
const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
const schedule = new optim.lrScheduler.CosineAnnealingLR(optimizer, 10);
export function epoch(batches) {
  model.train();
  for (const [images, labels] of batches) {
    optimizer.zeroGrad();
    criterion(model(images), labels).backward();
    optimizer.step();
  }
  schedule.step();
}
export function accuracy(images, labels) {
  model.eval();
  return noGrad(() => model(images).argmax(1).eq(labels).to('float32').mean().item());
}`;

/** A transformer that predicts the next token. */
export const languageModel = `import { arange, multinomial, nn, noGrad, optim } from 'tapegrad';
class Block extends nn.Module {
  constructor(width, heads) {
    super();
    this.heads = heads;
    this.norm1 = new nn.LayerNorm(width);
    this.attention = new nn.Linear(width, 3 * width);
    this.projection = new nn.Linear(width, width);
    this.norm2 = new nn.LayerNorm(width);
    this.mlp = new nn.Sequential(new nn.Linear(width, 4 * width), new nn.GELU(), new nn.Linear(4 * width, width));
  }
  forward(x) {
    const [batch, length, width] = x.shape;
    const parts = this.attention(this.norm1(x)).chunk(3, 2);
    const [q, k, v] = parts.map((part) => part.reshape([batch, length, this.heads, width / this.heads]).transpose(1, 2));
    const seen = nn.functional.scaledDotProductAttention(q, k, v, { isCausal: true });
    const y = x.add(this.projection(seen.transpose(1, 2).reshape([batch, length, width])));
    return y.add(this.mlp(this.norm2(y)));
  }
}
export class GPT extends nn.Module {
  constructor(tokens, block, width, heads, depth) {
    super();
    this.tokens = new nn.Embedding(tokens, width);
    this.places = new nn.Embedding(block, width);
    this.blocks = new nn.ModuleList(Array.from({ length: depth }, () => new Block(width, heads)));
    this.norm = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, tokens, { bias: false });
  }
  forward(ids) {
    let x = this.tokens(ids).add(this.places(arange(ids.shape[1])));
    for (const block of this.blocks) x = block(x);
    return this.head(this.norm(x));
  }
}
const model = new GPT(65, 64, 64, 4, 2);
const optimizer = new optim.AdamW(model.parameters(), { lr: 3e-4, weightDecay: 0.1 });
export function step(ids, targets) {
  optimizer.zeroGrad();
  const loss = nn.functional.crossEntropy(model(ids).flatten(0, 1), targets.flatten());
  loss.backward();
  nn.utils.clipGradNorm_(model.parameters(), 1);
  optimizer.step();
  return loss.item();
}
export function next(ids) {
  return noGrad(() => multinomial(model(ids).select(1, -1).softmax(-1), 1));
}`;
