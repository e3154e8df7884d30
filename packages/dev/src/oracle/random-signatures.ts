import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import { adapterOf, drawn, type Signature } from './signature.ts';

/** Signatures of operators that draw random numbers, which differ from those in the record. */
function drawing(signatures: Readonly<Record<string, Signature>>): Record<string, Signature> {
  return Object.fromEntries(Object.entries(signatures).map(([name, form]) => [name, (call) => drawn(adapterOf(form)(call))]));
}

/** Random operators that `signatures` takes in. */
export const randomSignatures: Readonly<Record<string, Signature>> = {
  ...drawing({
    bernoulli: 'tg.bernoulli(x)',
    multinomial: 'num_samples, replacement => tg.multinomial(x, num_samples, { replacement })',
    normal: 'std => tg.normal(x, std)',
    'normal/number_mean': 'mean => tg.normal(mean, x)',
    rand_like: 'dtype, device => tg.randLike(x, { dtype })',
    randn_like: 'dtype, device => tg.randnLike(x, { dtype })',
    randint_like: ({ input, args, kwargs }) => {
      const [low, high] = args.length > 1 ? (args as number[]) : [0, args[0] as number];
      return tg.randintLike(input as Tensor, low!, high!, kwargs['dtype'] === undefined ? {} : { dtype: kwargs['dtype'] as tg.DType });
    },
    uniform: ({ input, args }) => (input as Tensor).clone().uniform_(...(args as [number, number])),
  }),
  'nn.functional._scaled_dot_product_attention': ({ input, args, kwargs }) => {
    const [key, value] = args as [Tensor, Tensor];
    const { attn_mask: attnMask = null, dropout_p: dropoutP = 0, is_causal: isCausal = false } = kwargs as Record<string, never>;
    const both = tg.scaledDotProductAttentionWithWeights(input as Tensor, key, value, { attnMask, dropoutP, isCausal });
    return dropoutP > 0 ? drawn(both) : both;
  },
  'nn.functional.dropout': ({ input, kwargs }) => {
    const { p = 0.5, training = true } = kwargs as { p?: number; training?: boolean };
    const result = (input as Tensor).dropout(p, training);
    return training && p !== 0 && p !== 1 ? drawn(result) : result;
  },
};
