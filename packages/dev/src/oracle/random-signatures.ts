import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import { adapterOf, type Signature } from './signature.ts';

/** The seed before every recorded call that draws random numbers. */
const SEED = 42;

/** Signatures of operators that draw random numbers, from the stream that PyTorch's started with. */
function seeded(signatures: Readonly<Record<string, Signature>>): Record<string, Signature> {
  return Object.fromEntries(
    Object.entries(signatures).map(([name, form]): [string, Signature] => [
      name,
      (call) => {
        tg.manualSeed(SEED);
        return adapterOf(form)(call);
      },
    ]),
  );
}

/** Random operators that `signatures` takes in. */
export const randomSignatures: Readonly<Record<string, Signature>> = seeded({
  bernoulli: 'tg.bernoulli(x)',
  multinomial: 'num_samples, replacement => tg.multinomial(x, num_samples, { replacement })',
  normal: 'std => tg.normal(x, std)',
  'normal/number_mean': 'mean => tg.normal(mean, x)',
  // What PyTorch records under this name is randn_like.
  rand_like: 'dtype, device => tg.randnLike(x, { dtype })',
  randn_like: 'dtype, device => tg.randnLike(x, { dtype })',
  randint_like: ({ input, args, kwargs }) => {
    const [low, high] = args.length > 1 ? (args as number[]) : [0, args[0] as number];
    return tg.randintLike(input as Tensor, low!, high!, kwargs['dtype'] === undefined ? {} : { dtype: kwargs['dtype'] as tg.DType });
  },
  uniform: ({ input, args }) => (input as Tensor).clone().uniform_(...(args as [number, number])),
});
