import { arange, type Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';
import { AdamW } from '@tapegrad/optim';
import type { Prepare } from '../prepared.ts';
import { loadParameters, training } from './networks.ts';
import { tensors } from './operations.ts';

interface Sizes {
  readonly tokens: number;
  readonly block: number;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
}

class Layer extends nn.Module {
  readonly norm1: nn.LayerNorm;
  readonly qkv: nn.Linear;
  readonly project: nn.Linear;
  readonly norm2: nn.LayerNorm;
  readonly up: nn.Linear;
  readonly down: nn.Linear;
  readonly heads: number;

  constructor({ width, heads }: Sizes) {
    super();
    this.heads = heads;
    this.norm1 = new nn.LayerNorm(width);
    this.qkv = new nn.Linear(width, 3 * width);
    this.project = new nn.Linear(width, width);
    this.norm2 = new nn.LayerNorm(width);
    this.up = new nn.Linear(width, 4 * width);
    this.down = new nn.Linear(4 * width, width);
  }

  forward(x: Tensor): Tensor {
    const attended = x.add(this.project(this.attention(this.norm1(x))));
    return attended.add(this.down(this.up(this.norm2(attended)).gelu({ approximate: 'tanh' })));
  }

  private attention(x: Tensor): Tensor {
    const [batch, block, width] = x.shape as [number, number, number];
    const size = [batch, block, this.heads, width / this.heads];
    const [q, k, v] = this.qkv(x)
      .chunk(3, 2)
      .map((part) => part.reshape(size).transpose(1, 2)) as [Tensor, Tensor, Tensor];
    const mixed = nn.functional.scaledDotProductAttention(q, k, v, { isCausal: true });
    return mixed.transpose(1, 2).reshape([batch, block, width]);
  }
}

class Model extends nn.Module {
  readonly token: nn.Embedding;
  readonly position: nn.Embedding;
  readonly layers: nn.Sequential;
  readonly norm: nn.LayerNorm;
  readonly head: nn.Linear;
  private readonly places: Tensor;

  constructor(sizes: Sizes) {
    super();
    const { tokens, block, width } = sizes;
    this.token = new nn.Embedding(tokens, width);
    this.position = new nn.Embedding(block, width);
    this.layers = new nn.Sequential(...Array.from({ length: sizes.layers }, () => new Layer(sizes)));
    this.norm = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, tokens, { bias: false });
    this.places = arange(block);
  }

  forward(ids: Tensor): Tensor {
    return this.head(this.norm(this.layers(this.token(ids).add(this.position(this.places)))));
  }
}

/** A training step of the language model. */
export const gpt: Prepare = (inputs, sizes, shapes) => {
  const model = new Model(sizes as unknown as Sizes);
  loadParameters(model, inputs, shapes, ['ids', 'labels']);
  const { ids, labels } = tensors(inputs, shapes);
  const optimizer = new AdamW([...model.parameters()], {
    lr: sizes['lr']!,
    weightDecay: sizes['weightDecay']!,
  });
  const tokens = sizes['tokens']!;
  return training(() => nn.functional.crossEntropy(model(ids!).reshape([-1, tokens]), labels!), optimizer);
};
