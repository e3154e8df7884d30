import * as tg from 'tapegrad';
import type { Tensor } from 'tapegrad';

const { nn, optim } = tg;
const F = nn.functional;
const STEPS = 40;
const VOCABULARY = 24;
const BLOCK = 12;
const WIDTH = 32;

class Block extends nn.Module {
  ln1 = new nn.LayerNorm(WIDTH);
  attn: tg.nn.MultiheadAttention;
  ln2 = new nn.LayerNorm(WIDTH);
  mlp: tg.nn.Sequential;
  mask = this.registerBuffer('mask', tg.triu(tg.ones([BLOCK, BLOCK], { dtype: 'bool' }), 1));

  constructor(heads: number, p: number) {
    super();
    this.attn = new nn.MultiheadAttention(WIDTH, heads, { dropout: p, batchFirst: true });
    this.mlp = new nn.Sequential(new nn.Linear(WIDTH, 4 * WIDTH), new nn.GELU(), new nn.Linear(4 * WIDTH, WIDTH), new nn.Dropout(p));
  }

  forward(x: Tensor): Tensor {
    const t = x.size(1);
    const h = this.ln1(x);
    const [a] = this.attn(h, h, h, { attnMask: this.mask.at(`:${t}`, `:${t}`), needWeights: false });
    x = x.add(a);
    return x.add(this.mlp(this.ln2(x)) as Tensor);
  }
}

class GPT extends nn.Module {
  tokEmb = new nn.Embedding(VOCABULARY, WIDTH);
  posEmb = new nn.Parameter(tg.zeros([1, BLOCK, WIDTH]));
  drop = new nn.Dropout(0.1);
  blocks = [new Block(4, 0.1), new Block(4, 0.1)];
  lnF = new nn.LayerNorm(WIDTH);
  head = new nn.Linear(WIDTH, VOCABULARY, { bias: false });

  constructor() {
    super();
    this.apply((module) => this.initWeights(module));
    nn.init.truncNormal_(this.posEmb, 0, 0.02);
    this.head.weight = this.tokEmb.weight;
  }

  private initWeights(module: tg.nn.Module): void {
    if (module instanceof nn.Linear) {
      nn.init.normal_(module.weight, 0, 0.02);
      if (module.bias !== null) nn.init.zeros_(module.bias);
    } else if (module instanceof nn.Embedding) {
      nn.init.normal_(module.weight, 0, 0.02);
    }
  }

  forward(idx: Tensor, targets: Tensor | null = null): [logits: Tensor, loss: Tensor | null] {
    let x = this.drop(this.tokEmb(idx).add(this.posEmb.at(':', `:${idx.size(1)}`)));
    for (const block of this.blocks) x = block(x);
    const logits = this.head(this.lnF(x));
    if (targets === null) return [logits, null];
    return [logits, F.crossEntropy(logits.view(-1, logits.size(-1)), targets.view(-1))];
  }
}

function generate(model: GPT, idx: Tensor, count: number): Tensor {
  model.eval();
  tg.noGrad(() => {
    for (let i = 0; i < count; i++) {
      const [logits] = model(idx.at(':', `${-BLOCK}:`));
      const probs = F.softmax(logits.at(':', -1, ':').div(0.8), -1);
      idx = tg.cat([idx, tg.multinomial(probs, 1)], 1);
    }
  });
  model.train();
  return idx;
}

/** The port of `gpt.py`. */
export function train(dtype: tg.DTypeName): number[] {
  const data = tg.randint(0, VOCABULARY, [400]);
  const model = new GPT().to(dtype);
  const decay = model.parameters().filter((p) => p.dim() >= 2);
  const noDecay = model.parameters().filter((p) => p.dim() < 2);
  const optimizer = new optim.AdamW(
    [
      { params: decay, weightDecay: 0.1 },
      { params: noDecay, weightDecay: 0 },
    ],
    { lr: 3e-3, betas: [0.9, 0.95] },
  );
  const factor = (step: number): number => {
    if (step < 8) return (step + 1) / 8;
    return 0.5 * (1 + Math.cos((Math.PI * (step - 8)) / (STEPS - 8)));
  };
  const scheduler = new optim.lrScheduler.LambdaLR(optimizer, factor);
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const ix = tg.randint(0, data.size(0) - BLOCK, [6]).tolist() as number[];
    const x = tg.stack(ix.map((i) => data.at(`${i}:${i + BLOCK}`)));
    const y = tg.stack(ix.map((i) => data.at(`${i + 1}:${i + 1 + BLOCK}`)));
    const [, loss] = model(x, y);
    optimizer.zeroGrad({ setToNone: true });
    loss!.backward();
    nn.utils.clipGradNorm_(model.parameters(), 1);
    optimizer.step();
    scheduler.step();
    losses.push(loss!.item());
  }
  return [...losses, ...(generate(model, tg.zeros([1, 1], { dtype: 'int64' }), 16).at(0).tolist() as number[])];
}
