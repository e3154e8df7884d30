// A recurrent network reads the King James Bible character by character, learns to say what comes next, and then goes on
// by itself.
import * as tg from 'tapegrad';
import { useBlas } from '@tapegrad/blas';
import { readBible } from './bible.ts';
import type { Example } from './stage.ts';
import { TextBatches } from './text-batches.ts';

const { nn, optim } = tg;

type State = [hidden: tg.Tensor, cell: tg.Tensor];

class CharacterModel extends nn.Module {
  readonly embedding: tg.nn.Embedding;
  readonly lstm: tg.nn.LSTM;
  readonly head: tg.nn.Linear;

  constructor(characters: number, width: number) {
    super();
    this.embedding = new nn.Embedding(characters, 32);
    this.lstm = new nn.LSTM(32, width, 1, { batchFirst: true });
    this.head = new nn.Linear(width, characters);
  }

  /** @shape characters [batch, length] -> scores of the next ones [batch, length, characters] */
  forward(x: tg.Tensor, before: State | null = null): [scores: tg.Tensor, state: State] {
    const [output, state] = this.lstm(this.embedding(x), before);
    return [this.head(output), state];
  }
}

/** Goes on with a text. The state carries all that was read, so each step takes one character. */
function write(model: CharacterModel, encoding: tg.data.Encoding, start: string, length: number): string {
  const numbers = [...encoding.encode(start)];
  tg.noGrad(() => {
    let [scores, state] = model(tg.tensor([numbers], { dtype: 'int32' }));
    while (numbers.length < length) {
      // Divided by less than 1, the likely becomes likelier.
      const likely = scores.select(1, -1).div(0.8).softmax(-1);
      const next = tg.multinomial(likely, 1);
      numbers.push(next.item());
      [scores, state] = model(next, state);
    }
  });
  return encoding.decode(numbers);
}

export const characterLstm: Example = async (stage) => {
  await useBlas();
  tg.manualSeed(0);
  const { encoding, train, test } = new TextBatches(readBible(), stage.quick ? 12 : 32, 64);
  const model = new CharacterModel(encoding.size, stage.quick ? 64 : 256);
  const optimizer = new optim.Adam(model.parameters(), { lr: stage.quick ? 0.01 : 0.004 });
  const steps = stage.quick ? 50 : 700;
  const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, steps);
  const lossOf = ([input, target]: [tg.Tensor, tg.Tensor]): tg.Tensor =>
    nn.functional.crossEntropy(model(input)[0].flatten(0, 1), target.flatten());

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
    `text it has not read: loss ${loss.toFixed(3)}, ${(loss / Math.LN2).toFixed(2)} bits per character ` +
      `(${Math.log2(encoding.size).toFixed(2)} by guessing)`,
    '',
    write(model, encoding, 'And the LORD said', stage.quick ? 80 : 500),
  );
  return { loss };
};
