import type { Case } from '../case.ts';
import type { InputSpec } from '../inputs.ts';
import { linearLayer } from './layer.ts';

const [tokens, block, batch, layers, width, heads] = [65, 64, 8, 4, 128, 4] as const;

function norm(name: string): Record<string, InputSpec> {
  return {
    [`${name}w`]: { shape: [width], between: [0.5, 1.5] },
    [`${name}b`]: { shape: [width], between: [-0.1, 0.1] },
  };
}

function layer(l: number): Record<string, InputSpec> {
  return {
    ...norm(`${l}.norm1`),
    ...linearLayer(`${l}.qkvw`, `${l}.qkvb`, width, 3 * width),
    ...linearLayer(`${l}.projectw`, `${l}.projectb`, width, width),
    ...norm(`${l}.norm2`),
    ...linearLayer(`${l}.upw`, `${l}.upb`, width, 4 * width),
    ...linearLayer(`${l}.downw`, `${l}.downb`, 4 * width, width),
  };
}

/**
 * A language model of characters, normalized before attention and MLP, GELU by its tanh formula, causal
 * attention: one AdamW step that decays all parameters.
 */
export const gpt: Case = {
  name: 'gpt-adamw',
  group: 'gpt',
  operation: 'gpt-adamw',
  sizes: { tokens, block, batch, layers, width, heads, lr: 1e-4, weightDecay: 0.01 },
  inputs: {
    ids: { shape: [batch, block], below: tokens },
    labels: { shape: [batch * block], below: tokens },
    tokenw: { shape: [tokens, width], between: [-0.1, 0.1] },
    positionw: { shape: [block, width], between: [-0.1, 0.1] },
    ...Object.assign({}, ...Array.from({ length: layers }, (_, l) => layer(l))),
    ...norm('norm'),
    headw: { shape: [tokens, width], between: [-0.1, 0.1] },
  },
  unit: { name: 'ms', amount: 1 },
  checkedSteps: 4,
  tolerance: 5e-5,
  quick: true,
};
