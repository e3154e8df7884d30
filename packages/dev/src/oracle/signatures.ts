import * as tg from '@tapegrad/core';
import type { Subscript, Tensor } from '@tapegrad/core';
import { functionalSignatures } from './functional-signatures.ts';
import { elementwiseSignatures } from './elementwise-signatures.ts';
import { maskedSignatures } from './masked-signatures.ts';
import { randomSignatures } from './random-signatures.ts';
import { arraySignatures } from './array-signatures.ts';
import { linalgSignatures } from './linalg-signatures.ts';
import { camelCase, type PythonCall, type Signature } from './signature.ts';
import { statisticsSignatures } from './statistics-signatures.ts';
import { Unsupported } from './values.ts';

/** Operators that are a method of the same name, in camelCase, without arguments. */
const plain = (...names: string[]): Record<string, Signature> => {
  return Object.fromEntries(names.map((name) => [name, `x.${camelCase(name.split('.').at(-1)!)}()`]));
};

/** Operators of two operands. */
const binary = (...names: string[]): Record<string, Signature> => {
  return Object.fromEntries(names.map((name) => [name, `other => x.${camelCase(name)}(other)`]));
};

/** Python's subscript: a tuple of several, or one; a list of numbers alone is one. */
function subscripts(index: unknown): Subscript[] {
  const isTuple = Array.isArray(index) && index.some((item) => typeof item !== 'number' && typeof item !== 'boolean');
  return (isTuple ? index : [index]) as Subscript[];
}

/** `var` and `std` take (unbiased) or (dim, unbiased or correction, keepdim). */
const variance = (name: 'var' | 'std' | 'varMean' | 'stdMean') => ({ input, args, kwargs }: PythonCall): unknown => {
  const { dim, unbiased, correction, keepdim, ...rest } = kwargs;
  const other = Object.keys(rest)[0];
  if (other !== undefined) throw new Unsupported(`keyword ${other}`);
  const [first, second, third] = args;
  const options = { unbiased, correction, keepdim };
  if (typeof first === 'boolean') return (input as Tensor)[name](null, { unbiased: first });
  if (second !== undefined) Object.assign(options, { unbiased: second });
  if (third !== undefined) Object.assign(options, { keepdim: third });
  return (input as Tensor)[name]((first ?? dim) as number | null, withoutUndefined(options));
};

function withoutUndefined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

const reduction = 'dim, keepdim, dtype =>';
type MaxPool<R> = (x: Tensor, kernelSize: never, stride: never, options: Record<string, unknown>) => R;
const maxPool = (values: MaxPool<Tensor>, withIndices: MaxPool<unknown>): Signature => ({ input, args, kwargs }) => {
  const names = ['kernel_size', 'stride', 'padding', 'dilation', 'ceil_mode', 'return_indices'];
  const given = { ...Object.fromEntries(args.map((arg, i) => [names[i]!, arg])), ...kwargs } as Record<string, never>;
  const { kernel_size: kernelSize, stride, padding, dilation, ceil_mode: ceilMode, return_indices: both } = given;
  return (both ? withIndices : values)(input as Tensor, kernelSize!, stride!, withoutUndefined({ padding, dilation, ceilMode }));
};

const conv = 'weight, bias, stride, padding, dilation, groups => tg.%(x, weight, bias, { stride, padding, dilation, groups })';
const convTranspose =
  'weight, bias, stride, padding, output_padding, groups, dilation => tg.%(x, weight, bias, { stride, padding, output_padding, groups, dilation })';
const avgPool =
  'kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override => ' +
  'tg.%(x, kernel_size, stride, { padding, ceil_mode, count_include_pad, divisor_override })';

/** PyTorch's operators in our words; what is not here has no form yet. */
export const signatures: Readonly<Record<string, Signature>> = {
  ...elementwiseSignatures,
  ...statisticsSignatures,
  ...maskedSignatures,
  ...randomSignatures,
  ...arraySignatures,
  ...linalgSignatures,

  // Elementwise.
  ...plain(
    'abs', 'acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'ceil', 'clone', 'contiguous', 'cos', 'cosh', 'erf', 'erfc',
    'erfinv', 'exp', 'exp2', 'expm1', 'floor', 'frac', 'isfinite', 'isinf', 'isnan', 'log', 'log10', 'log1p', 'log2',
    'logical_not', 'neg', 'reciprocal', 'rsqrt', 'sigmoid', 'sign', 'sin', 'sinh', 'sqrt', 'square', 'tan', 'tanh', 'trunc',
    'nn.functional.hardsigmoid', 'nn.functional.hardswish', 'nn.functional.logsigmoid', 'nn.functional.mish',
    'nn.functional.selu', 'nn.functional.silu', 'nn.functional.relu', 'nn.functional.relu6',
  ),
  ...binary(
    'atan2', 'eq', 'floor_divide', 'fmod', 'ge', 'gt', 'hypot', 'le', 'logical_and', 'logical_or', 'logical_xor', 'lt',
    'maximum', 'minimum', 'mul', 'ne', 'pow', 'remainder',
  ),
  __rsub__: 'other => x.rsub(other)',
  add: 'other, alpha => x.add(other, { alpha })',
  sub: 'other, alpha => x.sub(other, { alpha })',
  rsub: 'other, alpha => x.rsub(other, { alpha })',
  true_divide: 'other => x.div(other)',
  'div/no_rounding_mode': 'other, rounding_mode => x.div(other, { rounding_mode })',
  'div/floor_rounding': 'other, rounding_mode => x.div(other, { rounding_mode })',
  'div/trunc_rounding': 'other, rounding_mode => x.div(other, { rounding_mode })',
  clamp: 'min, max => x.clamp(min, max)',
  clamp_min: 'min => x.clampMin(min)',
  clamp_max: 'max => x.clampMax(max)',
  lerp: 'end, weight => x.lerp(end, weight)',
  'nn.functional.elu': 'alpha, inplace => x.elu(alpha)',
  'nn.functional.gelu': 'approximate => x.gelu({ approximate })',
  'nn.functional.hardtanh': 'min_val, max_val, inplace => x.hardtanh(min_val, max_val)',
  'nn.functional.leaky_relu': 'negative_slope, inplace => x.leakyRelu(negative_slope)',
  'nn.functional.softplus': 'beta, threshold => x.softplus(beta, threshold)',
  'nn.functional.threshold': 'threshold, value, inplace => x.threshold(threshold, value)',
  where: 'condition, other => tg.where(condition, x, other)',
  masked_fill: 'mask, value => x.maskedFill(mask, value)',
  fill: 'value => x.fill(value)',
  zero_: ({ input }) => (input as Tensor).clone().zero_(),

  // Dtypes and copies.
  ...plain('bool', 'double', 'float', 'int', 'long'),
  full_like: 'value, dtype, device => tg.fullLike(x, value, { dtype })',
  zeros_like: 'dtype, device => tg.zerosLike(x, { dtype })',
  ones_like: 'dtype, device => tg.onesLike(x, { dtype })',

  // Matrices.
  matmul: 'other => x.matmul(other)',
  __rmatmul__: ({ input, args }) => (args[0] as Tensor).matmul(input as Tensor),
  mm: 'mat2 => x.mm(mat2)',
  bmm: 'mat2 => x.bmm(mat2)',
  mv: 'vec => x.mv(vec)',
  dot: 'other => x.dot(other)',
  outer: 'vec2 => x.outer(vec2)',
  addmm: 'mat1, mat2, beta, alpha => x.addmm(mat1, mat2, { beta, alpha })',
  'addmm/decomposed': 'mat1, mat2, beta, alpha => x.addmm(mat1, mat2, { beta, alpha })',
  baddbmm: 'batch1, batch2, beta, alpha => x.baddbmm(batch1, batch2, { beta, alpha })',
  'nn.functional.linear': 'weight, bias => x.linear(weight, bias)',

  // Shapes and views.
  T: 'x.T',
  mT: 'x.mT',
  as_strided: 'size, stride, storage_offset => x.asStrided(size, stride, storage_offset)',
  broadcast_to: 'size => x.broadcastTo(size)',
  chunk: 'chunks, dim => x.chunk(chunks, dim)',
  diagonal: 'offset, dim1, dim2 => x.diagonal(offset, dim1, dim2)',
  expand: '*size => x.expand(size)',
  expand_as: 'other => x.expandAs(other)',
  flatten: 'start_dim, end_dim => x.flatten(start_dim, end_dim)',
  movedim: 'source, destination => x.movedim(source, destination)',
  narrow: 'dim, start, length => x.narrow(dim, start, length)',
  permute: '*dims => x.permute(dims)',
  ravel: 'x.flatten()',
  reshape: '*shape => x.reshape(shape)',
  reshape_as: ({ input, args }) => (input as Tensor).reshape((args[0] as Tensor).shape),
  select: 'dim, index => x.select(dim, index)',
  slice: 'dim, start, end, step => x.slice(dim, start, end, step)',
  split: 'split_size, dim => x.split(split_size, dim)',
  'split/list_args': 'split_size, dim => x.split(split_size, dim)',
  split_with_sizes: 'split_sizes, dim => x.split(split_sizes, dim)',
  squeeze: 'dim => x.squeeze(dim)',
  sum_to_size: '*size => x.sumToSize(size)',
  t: 'x.t()',
  transpose: 'dim0, dim1 => x.transpose(dim0, dim1)',
  unbind: 'dim => x.unbind(dim)',
  unflatten: 'dim, sizes => x.unflatten(dim, sizes)',
  unsqueeze: 'dim => x.unsqueeze(dim)',
  view: '*shape => x.view(shape)',
  view_as: ({ input, args }) => (input as Tensor).view((args[0] as Tensor).shape),

  // Reductions.
  all: 'dim, keepdim => x.all(dim, { keepdim })',
  amax: 'dim, keepdim => x.amax(dim, { keepdim })',
  amin: 'dim, keepdim => x.amin(dim, { keepdim })',
  aminmax: 'dim, keepdim => x.aminmax(dim, { keepdim })',
  any: 'dim, keepdim => x.any(dim, { keepdim })',
  argmax: 'dim, keepdim => x.argmax(dim, { keepdim })',
  argmin: 'dim, keepdim => x.argmin(dim, { keepdim })',
  count_nonzero: 'dim => x.countNonzero(dim)',
  cummax: 'dim => x.cummax(dim)',
  cummin: 'dim => x.cummin(dim)',
  cumprod: 'dim, dtype => x.cumprod(dim, { dtype })',
  cumsum: 'dim, dtype => x.cumsum(dim, { dtype })',
  'linalg.vector_norm': 'ord, dim, keepdim, dtype => x.vectorNorm(ord, dim, { keepdim, dtype })',
  logsumexp: 'dim, keepdim => x.logsumexp(dim, { keepdim })',
  'max/binary': 'other => x.max(other)',
  'max/reduction_no_dim': 'x.max()',
  'max/reduction_with_dim': 'dim, keepdim => x.max(dim, { keepdim })',
  mean: `${reduction} x.mean(dim, { keepdim, dtype })`,
  'min/binary': 'other => x.min(other)',
  'min/reduction_no_dim': 'x.min()',
  'min/reduction_with_dim': 'dim, keepdim => x.min(dim, { keepdim })',
  norm: 'p, dim, keepdim, dtype => x.norm(p, dim, { keepdim, dtype })',
  'norm/fro': 'p, dim, keepdim, dtype => x.norm(p, dim, { keepdim, dtype })',
  'norm/inf': 'p, dim, keepdim, dtype => x.norm(p, dim, { keepdim, dtype })',
  prod: `${reduction} x.prod(dim, { keepdim, dtype })`,
  std: variance('std'),
  std_mean: variance('stdMean'),
  sum: `${reduction} x.sum(dim, { keepdim, dtype })`,
  var: variance('var'),
  var_mean: variance('varMean'),

  // Along a dimension.
  log_softmax: 'dim, dtype => x.logSoftmax(dim, { dtype })',
  'log_softmax/dtype': 'dim, dtype => x.logSoftmax(dim, { dtype })',
  'nn.functional.softmin': 'dim, dtype => x.softmin(dim, { dtype })',
  'nn.functional.softmin/with_dtype': 'dim, dtype => x.softmin(dim, { dtype })',
  softmax: 'dim, dtype => x.softmax(dim, { dtype })',
  'softmax/with_dtype': 'dim, dtype => x.softmax(dim, { dtype })',
  argsort: 'dim, descending => x.argsort(dim, { descending })',
  flip: 'dims => x.flip(dims)',
  ...plain('fliplr', 'flipud'),
  msort: ({ input }) => (input as Tensor).sort(0).values,
  roll: 'shifts, dims => x.roll(shifts, dims)',
  sort: 'dim, descending, stable => x.sort(dim, { descending, stable })',
  topk: 'k, dim, largest, sorted => x.topk(k, dim, { largest, sorted })',

  // Indexing.
  __getitem__: ({ input, args }) => (input as Tensor).at(...subscripts(args[0])),
  gather: 'dim, index, sparse_grad => x.gather(dim, index)',
  index_add: 'dim, index, source, alpha => x.indexAdd(dim, index, source, { alpha })',
  index_copy: 'dim, index, source => x.indexCopy(dim, index, source)',
  index_fill: 'dim, index, value => x.indexFill(dim, index, value)',
  index_put: 'indices, values, accumulate => x.indexPut(indices, values, { accumulate })',
  index_select: 'dim, index => x.indexSelect(dim, index)',
  masked_select: 'mask => x.maskedSelect(mask)',
  nonzero: ({ input, kwargs }) => {
    const rows = (input as Tensor).nonzero();
    if (!kwargs['as_tuple']) return rows;
    return (input as Tensor).ndim === 0 ? rows.newZeros([rows.shape[0]!]) : rows.unbind(1);
  },
  scatter: 'dim, index, src, reduce => x.scatter(dim, index, src, { reduce })',
  scatter_add: 'dim, index, src => x.scatterAdd(dim, index, src)',
  take_along_dim: 'indices, dim => x.takeAlongDim(indices, dim)',
  'nn.functional.embedding': ({ input, args, kwargs }) => {
    const { padding_idx: paddingIdx, scale_grad_by_freq: scaleGradByFreq, ...rest } = kwargs;
    const other = Object.keys(rest)[0];
    if (other !== undefined) throw new Unsupported(`keyword ${other}`);
    // The samples have weight and ids in the order of the op below.
    return tg.embedding(args[0] as Tensor, input as Tensor, withoutUndefined({ paddingIdx, scaleGradByFreq }));
  },
  'nn.functional.one_hot': 'num_classes => tg.oneHot(x, num_classes)',

  // Joining and repeating.
  broadcast_tensors: ({ input, args }) => tg.broadcastTensors([input, ...args] as Tensor[]),
  cat: 'dim => tg.cat(x, dim)',
  column_stack: 'tg.columnStack(x)',
  dstack: 'tg.dstack(x)',
  hstack: 'tg.hstack(x)',
  'meshgrid/list_of_tensors': 'indexing => tg.meshgrid(x, { indexing })',
  'meshgrid/variadic_tensors': ({ input, args, kwargs }) => tg.meshgrid([input, ...args] as Tensor[], kwargs),
  repeat: '*repeats => x.repeat(repeats)',
  repeat_interleave: 'repeats, dim => x.repeatInterleave(repeats, dim)',
  stack: 'dim => tg.stack(x, dim)',
  tile: '*dims => x.tile(dims)',
  vstack: 'tg.vstack(x)',
  tril: 'diagonal => x.tril(diagonal)',
  triu: 'diagonal => x.triu(diagonal)',
  constant_pad_nd: 'pad, value => tg.pad(x, pad, { value })',
  'nn.functional.pad/circular': 'pad, mode, value => tg.pad(x, pad, { mode, value })',
  'nn.functional.pad/constant': 'pad, mode, value => tg.pad(x, pad, { mode, value })',
  'nn.functional.pad/reflect': 'pad, mode, value => tg.pad(x, pad, { mode, value })',
  'nn.functional.pad/replicate': 'pad, mode, value => tg.pad(x, pad, { mode, value })',

  // Windows.
  'nn.functional.conv1d': conv.replace('%', 'conv1d'),
  'nn.functional.conv2d': conv.replace('%', 'conv2d'),
  'nn.functional.conv_transpose1d': convTranspose.replace('%', 'convTranspose1d'),
  'nn.functional.conv_transpose2d': convTranspose.replace('%', 'convTranspose2d'),
  'nn.functional.conv_transpose3d': convTranspose.replace('%', 'convTranspose3d'),
  'nn.functional.max_pool1d': maxPool(tg.maxPool1d, tg.maxPool1dWithIndices),
  'nn.functional.max_pool2d': maxPool(tg.maxPool2d, tg.maxPool2dWithIndices),
  'nn.functional.max_pool3d': maxPool(tg.maxPool3d, tg.maxPool3dWithIndices),
  'nn.functional.avg_pool1d': avgPool.replace('%', 'avgPool1d'),
  'nn.functional.avg_pool2d': avgPool.replace('%', 'avgPool2d'),
  'nn.functional.avg_pool3d': avgPool.replace('%', 'avgPool3d'),
  'nn.functional.adaptive_avg_pool1d': 'output_size => tg.adaptiveAvgPool1d(x, output_size)',
  'nn.functional.adaptive_avg_pool2d': 'output_size => tg.adaptiveAvgPool2d(x, output_size)',
  'nn.functional.adaptive_avg_pool3d': 'output_size => tg.adaptiveAvgPool3d(x, output_size)',

  // Functions of nn.
  'nn.functional.celu': 'alpha, inplace => F.celu(x, alpha)',
  'nn.functional.glu': 'dim => F.glu(x, dim)',
  'nn.functional.hardshrink': 'lambd => F.hardshrink(x, lambd)',
  'nn.functional.prelu': 'weight => F.prelu(x, weight)',
  'nn.functional.softshrink': 'lambd => F.softshrink(x, lambd)',
  'nn.functional.softsign': 'F.softsign(x)',
  'nn.functional.tanhshrink': 'F.tanhshrink(x)',
  'nn.functional.bilinear': 'input2, weight, bias => F.bilinear(x, input2, weight, bias)',
  'nn.functional.binary_cross_entropy': 'target, weight, reduction => F.binaryCrossEntropy(x, target, { weight, reduction })',
  'nn.functional.binary_cross_entropy_with_logits':
    'target, weight, reduction, pos_weight => F.binaryCrossEntropyWithLogits(x, target, { weight, reduction, pos_weight })',
  'nn.functional.cross_entropy':
    'target, weight, size_average, ignore_index, reduce, reduction, label_smoothing => ' +
    'F.crossEntropy(x, target, { weight, ignore_index, reduction, label_smoothing })',
  'nn.functional.nll_loss': 'target, weight, ignore_index, reduction => F.nllLoss(x, target, { weight, ignore_index, reduction })',
  'nn.functional.mse_loss': 'target, reduction => F.mseLoss(x, target, { reduction })',
  'nn.functional.l1_loss': 'target, reduction => F.l1Loss(x, target, { reduction })',
  'nn.functional.smooth_l1_loss': 'target, reduction, beta => F.smoothL1Loss(x, target, { reduction, beta })',
  'nn.functional.huber_loss': 'target, reduction, delta => F.huberLoss(x, target, { reduction, delta })',

  // Normalization, dropout, attention.
  'nn.functional.batch_norm':
    'running_mean, running_var, weight, bias, training, momentum, eps => ' +
    'tg.batchNorm(x, running_mean, running_var, weight, bias, { training, momentum, eps })',
  'nn.functional.layer_norm': 'normalized_shape, weight, bias, eps => tg.layerNorm(x, normalized_shape, weight, bias, { eps })',
  'nn.functional.group_norm': 'num_groups, weight, bias, eps => tg.groupNorm(x, num_groups, weight, bias, { eps })',
  'nn.functional.instance_norm':
    'running_mean, running_var, weight, bias, use_input_stats, momentum, eps => ' +
    'tg.instanceNorm(x, running_mean, running_var, weight, bias, { use_input_stats, momentum, eps })',
  ...functionalSignatures,
};
