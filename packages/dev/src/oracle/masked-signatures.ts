import { camelCase, type Signature } from './signature.ts';

/** Functions of the namespace `masked` over dimensions. */
const reductions = (...names: string[]): Record<string, Signature> =>
  Object.fromEntries(
    names.map((name) => [`masked.${name}`, `dim, keepdim, dtype, mask => tg.masked.${name}(x, dim, { keepdim, dtype, mask })`]),
  );

/** Those along one dimension, whose results have the shape of the input. */
const along = (...names: string[]): Record<string, Signature> =>
  Object.fromEntries(
    names.map((name) => [`masked.${name}`, `dim, dtype, mask => tg.masked.${camelCase(name)}(x, dim, { dtype, mask })`]),
  );

const variance = (name: string): string =>
  `dim, unbiased, keepdim, dtype, mask => tg.masked.${name}(x, dim, { unbiased, keepdim, dtype, mask })`;

/** Masked operators that `signatures` takes in. */
export const maskedSignatures: Readonly<Record<string, Signature>> = {
  ...reductions('amax', 'amin', 'argmax', 'argmin', 'logsumexp', 'mean', 'median', 'prod', 'sum'),
  ...along('cumprod', 'cumsum', 'log_softmax', 'softmax', 'softmin'),
  'masked.logaddexp': 'other, dtype, input_mask, other_mask => tg.masked.logaddexp(x, other, { input_mask, other_mask })',
  'masked.norm': 'ord, dim, keepdim, dtype, mask => tg.masked.norm(x, ord, dim, { keepdim, dtype, mask })',
  'masked.normalize': 'ord, dim, eps, dtype, mask => tg.masked.normalize(x, ord, dim, { eps, dtype, mask })',
  'masked.std': variance('std'),
  'masked.var': variance('var'),
};
