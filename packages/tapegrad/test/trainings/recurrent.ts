import * as tg from 'tapegrad';
import type { Tensor } from 'tapegrad';

const { nn, optim } = tg;
const STEPS = 40;
const VOCABULARY = 20;
const BATCH = 4;
const LENGTH = 8;

type State = [hidden: Tensor, cell: Tensor];

class LanguageModel extends nn.Module {
  drop = new nn.Dropout(0.2);
  encoder = new nn.Embedding(VOCABULARY, 16);
  rnn = new nn.LSTM(16, 24, 2, { dropout: 0.3 });
  decoder = new nn.Linear(24, VOCABULARY);

  constructor() {
    super();
    nn.init.uniform_(this.encoder.weight, -0.1, 0.1);
    nn.init.zeros_(this.decoder.bias!);
    nn.init.uniform_(this.decoder.weight, -0.1, 0.1);
  }

  forward(x: Tensor, state: State): [Tensor, State] {
    const [output, hidden] = this.rnn(this.drop(this.encoder(x)), state);
    const decoded = this.decoder(this.drop(output));
    return [decoded.view(-1, VOCABULARY), hidden];
  }

  initHidden(): State {
    const weight = this.parameters()[0]!;
    return [weight.newZeros([2, BATCH, 24]), weight.newZeros([2, BATCH, 24])];
  }
}

/** The port of `recurrent.py`. */
export function train(dtype: tg.DTypeName): number[] {
  const text = tg.randint(0, VOCABULARY, [STEPS * LENGTH + 1, BATCH]);
  const model = new LanguageModel().to(dtype);
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-2 });
  let hidden = model.initHidden();
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const x = text.at(`${step * LENGTH}:${(step + 1) * LENGTH}`);
    const y = text.at(`${step * LENGTH + 1}:${(step + 1) * LENGTH + 1}`).reshape(-1);
    hidden = hidden.map((h) => h.detach()) as State;
    model.zeroGrad();
    let output: Tensor;
    [output, hidden] = model(x, hidden);
    const loss = criterion(output, y);
    loss.backward();
    nn.utils.clipGradNorm_(model.parameters(), 0.25);
    optimizer.step();
    losses.push(loss.item());
  }
  return losses;
}
