import { Tensor } from '@tapegrad/core';
import * as tg from '@tapegrad/core';
import { functional } from '@tapegrad/nn';
import { camelCase, type Signature } from '../oracle/signature.ts';

/** Calls that signatures make by functions and that PyTorch's name does not tell. */
const spelled: Readonly<Record<string, string>> = {
  __getitem__: 'x.at(…)',
  __radd__: 'x.add(other)',
  __rand__: 'x.bitwiseAnd(other)',
  __rdiv__: 'x.reciprocal().mul(other)',
  __rmatmul__: 'other.matmul(x)',
  __rmod__: 'tg.remainder(other, x)',
  __rmul__: 'x.mul(other)',
  __ror__: 'x.bitwiseOr(other)',
  __rpow__: 'tg.pow(other, x)',
  __rxor__: 'x.bitwiseXor(other)',
  msort: 'x.sort(0).values',
  native_batch_norm: 'x.batchNorm(…)',
  native_layer_norm: 'x.layerNorm(…)',
  'nn.functional._scaled_dot_product_attention': 'tg.scaledDotProductAttention(…)',
  reshape_as: 'x.reshape(other.shape)',
  uniform: 'x.uniform_(…)',
  view_as: 'x.view(other.shape)',
};

/** How one of PyTorch's operators is called here, `x` being its input, `F` nn.functional; nothing where it is not there. */
export function spellingOf(op: string, signature: Signature | undefined): string | undefined {
  if (signature === undefined) return undefined;
  const call = typeof signature === 'object' ? signature.call : signature;
  if (typeof call === 'function') return spelled[op] ?? found(op);
  // Options are named as here, not as there.
  return camelCase(call.split('=>').at(-1)!.trim()).replace(/(\w+): \w+/g, '$1');
}

/** The member that has PyTorch's name. */
function found(op: string): string | undefined {
  const path = op.split('.').map(camelCase);
  const name = path.at(-1)!;
  if (path[0] === 'linalg' && name in tg.linalg) return `tg.linalg.${name}(…)`;
  if (name in Tensor.prototype) return `x.${name}(…)`;
  if (name in functional) return `F.${name}(…)`;
  return name in tg ? `tg.${name}(…)` : undefined;
}

/** The name that a call is of: `tg.linalg.norm(x)` is one of `norm`. */
export function memberOf(spelling: string): { readonly owner: string; readonly name: string } {
  const [path] = /^[\w.]+/.exec(spelling)!;
  const words = path.split('.');
  const owner = words.length > 2 && words[0] === 'tg' ? words[1]! : words[0]!;
  return { owner, name: words[words.length > 2 && words[0] === 'tg' ? 2 : 1]! };
}
