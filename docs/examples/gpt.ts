// A small GPT: the transformer of large language models in a hundred lines, trained on the King James Bible.
import * as tg from 'tapegrad';
import { useBlas } from '@tapegrad/blas';
import { readBible } from './bible.ts';
import type { Example } from './stage.ts';
import { TextBatches } from './text-batches.ts';

const { nn, optim } = tg;

/** Characters that the model sees at once. */
const CONTEXT = 64;
const HEADS = 4;

/** Each place looks at itself and the places before it. @shape [batch, length, width] -> the same */
class SelfAttention extends nn.Module {
  readonly queryKeyValue: tg.nn.Linear;
  readonly output: tg.nn.Linear;

  constructor(width: number) {
    super();
    this.queryKeyValue = new nn.Linear(width, 3 * width);
    this.output = new nn.Linear(width, width);
  }

  forward(x: tg.Tensor): tg.Tensor {
    const [batch, length, width] = x.shape as [number, number, number];
    const [query, key, value] = this.queryKeyValue(x)
      .view([batch, length, 3, HEADS, width / HEADS])
      .permute([2, 0, 3, 1, 4])
      .unbind() as [tg.Tensor, tg.Tensor, tg.Tensor];
    const seen = nn.functional.scaledDotProductAttention(query, key, value, { isCausal: true });
    return this.output(seen.transpose(1, 2).reshape([batch, length, width]));
  }
}

/** Attention and a network for each place; both add to what comes in. */
class Block extends nn.Module {
  readonly norm1: tg.nn.LayerNorm;
  readonly attention: SelfAttention;
  readonly norm2: tg.nn.LayerNorm;
  readonly network: tg.nn.Sequential;

  constructor(width: number) {
    super();
    this.norm1 = new nn.LayerNorm(width);
    this.attention = new SelfAttention(width);
    this.norm2 = new nn.LayerNorm(width);
    this.network = new nn.Sequential(new nn.Linear(width, 4 * width), new nn.GELU(), new nn.Linear(4 * width, width));
  }

  forward(x: tg.Tensor): tg.Tensor {
    const seen = x.add(this.attention(this.norm1(x)));
    return seen.add(this.network(this.norm2(seen)));
  }
}

/** @shape characters [batch, length] -> scores of the next ones [batch, length, characters] */
export class Gpt extends nn.Module {
  readonly characters: tg.nn.Embedding;
  readonly places: tg.nn.Embedding;
  readonly blocks: Block[];
  readonly norm: tg.nn.LayerNorm;
  readonly head: tg.nn.Linear;

  constructor(characters: number, width: number, depth: number) {
    super();
    this.characters = new nn.Embedding(characters, width);
    this.places = new nn.Embedding(CONTEXT, width);
    this.blocks = Array.from({ length: depth }, () => new Block(width));
    this.norm = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, characters, { bias: false });
    for (const { weight } of [this.characters, this.places, this.head]) nn.init.normal_(weight, 0, 0.02);
  }

  forward(x: tg.Tensor): tg.Tensor {
    const start = this.characters(x).add(this.places(tg.arange(x.shape[1]!)));
    return this.head(this.norm(this.blocks.reduce((h, block) => block(h), start)));
  }
}

/** Goes on with a text, character by character. */
function write(model: Gpt, encoding: tg.data.Encoding, start: string, length: number): string {
  const numbers = [...encoding.encode(start)];
  while (numbers.length < length) {
    const seen = tg.tensor([numbers.slice(-CONTEXT)], { dtype: 'int32' });
    const scores = tg.noGrad(() => model(seen).select(1, -1));
    numbers.push(tg.multinomial(scores.div(0.8).softmax(-1), 1).item());
  }
  return encoding.decode(numbers);
}

export const gpt: Example = async (stage) => {
  await useBlas();
  tg.manualSeed(0);
  const { encoding, train, test } = new TextBatches(readBible(), stage.quick ? 12 : 32, CONTEXT);
  const model = stage.quick ? new Gpt(encoding.size, 32, 2) : new Gpt(encoding.size, 128, 3);
  const steps = stage.quick ? 50 : 600;
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.001, weightDecay: 0.1 });
  const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, stage.quick ? 0.01 : 0.003, { totalSteps: steps });
  const lossOf = ([input, target]: [tg.Tensor, tg.Tensor]): tg.Tensor =>
    nn.functional.crossEntropy(model(input).flatten(0, 1), target.flatten());

  const weights = [...model.parameters()].reduce((n, p) => n + p.numel(), 0);
  stage.say(`${weights.toLocaleString('en')} weights`);
  const progress = stage.progress('reading', steps);
  for (let step = 1; step <= steps; step++) {
    const loss = lossOf(train());
    optimizer.zeroGrad();
    loss.backward();
    nn.utils.clipGradNorm_(model.parameters(), 1);
    optimizer.step();
    scheduler.step();
    progress.update(step, { loss: loss.item() });
  }
  progress.finish();

  const loss = tg.noGrad(() => lossOf(test).item());
  stage.say(
    `text it has not read: loss ${loss.toFixed(3)}, ${(loss / Math.LN2).toFixed(2)} bits per character`,
    '',
    write(model, encoding, 'And the LORD said', stage.quick ? 80 : 500),
  );
  return { loss };
};
