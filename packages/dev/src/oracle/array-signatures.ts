import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import { uninitialised } from './freedom.ts';
import type { Adapter, PythonCall, Signature } from './signature.ts';

/** Operators whose tensors are all positional, which are a list here. */
const listed = (operation: (tensors: readonly Tensor[]) => unknown): Adapter => {
  return ({ input, args }) => operation([input, ...args] as Tensor[]);
};

/** Random numbers are recorded with the seed 42. */
const seeded = (draw: (call: PythonCall) => unknown): Adapter => (call) => {
  tg.manualSeed(42);
  return draw(call);
};

const withBetas = (names: string, method: string): Signature => `${names}, beta, alpha => x.${method}(${names}, { beta, alpha })`;
const scatterReduce: Signature =
  'dim, index, src, reduce, include_self => x.scatterReduce(dim, index, src, reduce, { include_self })';
const segmentReduce: Signature =
  'reduce, lengths, indices, offsets, axis, unsafe, initial => ' +
  'tg.segmentReduce(x, reduce, { lengths, offsets, axis, unsafe, initial })';
const factory = 'dtype, device, requires_grad';

/** Products, shapes, indexing and creation: PyTorch's operators in our words. */
export const arraySignatures: Readonly<Record<string, Signature>> = {
  // Products.
  addbmm: withBetas('batch1, batch2', 'addbmm'),
  addmv: withBetas('mat, vec', 'addmv'),
  addr: withBetas('vec1, vec2', 'addr'),
  block_diag: listed(tg.blockDiag),
  cartesian_prod: listed(tg.cartesianProd),
  cdist: 'x2, p, compute_mode => tg.cdist(x, x2, p, { compute_mode })',
  combinations: 'r, with_replacement => tg.combinations(x, r, { with_replacement })',
  cross: 'other, dim => x.cross(other, dim)',
  // The samples have the operands before the equation.
  einsum: ({ input, args }) => tg.einsum(args[0] as string, input as Tensor[]),
  inner: 'other => x.inner(other)',
  kron: 'other => x.kron(other)',
  tensordot: 'other, dims => x.tensordot(other, dims)',
  trace: 'x.trace()',
  vdot: 'other => x.vdot(other)',

  // Shapes and views.
  H: 'x.H',
  mH: 'x.mH',
  as_strided_scatter: {
    call: 'src, size, stride, storage_offset => x.asStridedScatter(src, size, stride, storage_offset)',
    free: { unwrittenGradients: [0] },
  },
  atleast_1d: 'tg.atleast1d(x)',
  atleast_2d: 'tg.atleast2d(x)',
  atleast_3d: 'tg.atleast3d(x)',
  diag: 'diagonal => x.diag(diagonal)',
  diag_embed: 'offset, dim1, dim2 => x.diagEmbed(offset, dim1, dim2)',
  diagflat: 'offset => x.diagflat(offset)',
  diagonal_scatter: 'src, offset, dim1, dim2 => x.diagonalScatter(src, offset, dim1, dim2)',
  dsplit: 'sections => x.dsplit(sections)',
  hsplit: 'sections => x.hsplit(sections)',
  vsplit: 'sections => x.vsplit(sections)',
  narrow_copy: 'dim, start, length => x.narrowCopy(dim, start, length)',
  resize_: ({ input, args }) => (input as Tensor).clone().resize_(args[0] as number[]),
  resize_as_: ({ input, args }) => (input as Tensor).clone().resizeAs_(args[0] as Tensor),
  rot90: 'k, dims => x.rot90(k, dims)',
  select_scatter: 'src, dim, index => x.selectScatter(src, dim, index)',
  slice_scatter: 'src, dim, start, end, step => x.sliceScatter(src, dim, start, end, step)',
  tensor_split: 'sections, dim => x.tensorSplit(sections, dim)',
  unfold: 'dimension, size, step => x.unfold(dimension, size, step)',

  // Indexing.
  argwhere: 'x.argwhere()',
  index_reduce: 'dim, index, source, reduce, include_self => x.indexReduce(dim, index, source, reduce, { include_self })',
  masked_scatter: 'mask, source => x.maskedScatter(mask, source)',
  put: 'index, source, accumulate => x.put(index, source, accumulate)',
  'scatter_reduce/amax': scatterReduce,
  'scatter_reduce/amin': scatterReduce,
  'scatter_reduce/mean': scatterReduce,
  'scatter_reduce/prod': scatterReduce,
  'scatter_reduce/sum': scatterReduce,
  'segment_reduce/lengths': segmentReduce,
  'segment_reduce/offsets': segmentReduce,
  take: 'index => x.take(index)',

  // Creation.
  arange: `end, step, ${factory} => tg.arange(x, end, step, { dtype })`,
  empty: { call: `${factory} => tg.empty(x, { dtype })`, free: uninitialised },
  empty_like: { call: `${factory} => tg.emptyLike(x, { dtype })`, free: uninitialised },
  eye: `m, ${factory} => tg.eye(x, m, { dtype })`,
  linspace: `end, steps, ${factory} => tg.linspace(x, end, steps, { dtype })`,
  logspace: `end, steps, base, ${factory} => tg.logspace(x, end, steps, base, { dtype })`,
  new_empty: { call: `size, ${factory} => x.newEmpty(size, { dtype })`, free: uninitialised },
  new_empty_strided: { call: `size, stride, ${factory} => x.newEmptyStrided(size, stride, { dtype })`, free: uninitialised },
  new_full: `size, value, ${factory} => x.newFull(size, value, { dtype })`,
  new_ones: `size, ${factory} => x.newOnes(size, { dtype })`,
  new_zeros: `size, ${factory} => x.newZeros(size, { dtype })`,
  ones: `${factory} => tg.ones(x, { dtype })`,
  zeros: `${factory} => tg.zeros(x, { dtype })`,
  tril_indices: `col, offset, ${factory} => tg.trilIndices(x, col, offset, { dtype })`,
  triu_indices: `col, offset, ${factory} => tg.triuIndices(x, col, offset, { dtype })`,
  randn: seeded(({ input, kwargs }) => tg.randn(input as number[], { dtype: kwargs['dtype'] as tg.DType })),
  randn_like: seeded(({ input, kwargs }) => tg.randnLike(input as Tensor, { dtype: kwargs['dtype'] as tg.DType })),
  // What PyTorch's samples call by this name draws from the normal distribution.
  rand_like: seeded(({ input, kwargs }) => tg.randnLike(input as Tensor, { dtype: kwargs['dtype'] as tg.DType })),
  randint_like: seeded(({ input, args, kwargs }) => {
    const [low, high] = args.length > 1 ? args : [0, args[0]];
    return tg.randintLike(input as Tensor, low as number, high as number, { dtype: kwargs['dtype'] as tg.DType });
  }),
};
