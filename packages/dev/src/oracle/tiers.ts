/** How much an operator matters: without those of A nothing trains, those of B are in common models, C is the rest. */
export type Tier = 'A' | 'B' | 'C';

// PyTorch's names without their variants; a star stands for any ending, and `F.` for `nn.functional.`.
const lists: Readonly<Record<'A' | 'B', string>> = {
  A: `
    add sub rsub mul div true_divide __radd__ __rsub__ __rmul__ __rdiv__ pow __rpow__ neg reciprocal abs sqrt rsqrt exp log log10 log1p log2
    mm addmm bmm baddbmm matmul __rmatmul__ F.linear F.conv1d F.conv2d F.conv3d sum mean std var norm linalg.vector_norm cumsum
    F.relu F.threshold F.gelu F.silu sigmoid tanh softmax log_softmax F.nll_loss F.cross_entropy F.mse_loss
    F.binary_cross_entropy_with_logits F.batch_norm native_batch_norm F.layer_norm native_layer_norm F.group_norm F.embedding F.dropout*
    F.max_pool* F.avg_pool* F.adaptive_avg_pool* F._scaled_dot_product_attention F.pad constant_pad_nd
    view view_as reshape reshape_as ravel flatten transpose permute t T mT movedim expand expand_as broadcast_to squeeze unsqueeze
    cat stack split split_with_sizes chunk unbind select slice narrow __getitem__ index_put where masked_fill gather scatter_add
    repeat tile repeat_interleave tril triu clone contiguous bool byte int long float double
    maximum minimum max min amax amin argmax argmin clamp clamp_min clamp_max
    eq ne lt le gt ge isnan isinf isfinite floor ceil round trunc sign`,
  B: `
    F.leaky_relu F.elu F.celu F.selu F.prelu F.softplus F.hardtanh F.relu6 F.hardsigmoid F.hardswish F.mish F.softshrink F.hardshrink
    F.glu F.logsigmoid F.softsign F.tanhshrink F.softmin F.rrelu prod cumprod logsumexp logcumsumexp logaddexp logaddexp2 cummax cummin
    sort argsort msort topk kthvalue mode median nanmedian flip fliplr flipud roll rot90 index_select index_add index_copy index_fill
    scatter scatter_reduce index_reduce masked_select masked_scatter take put take_along_dim diagonal diag diagflat diag_embed trace
    unfold F.unfold einsum tensordot kron outer dot vdot inner mv addr addmv addbmm F.bilinear cross linalg.cross atan2 hypot
    sin cos tan asin acos atan sinh cosh asinh acosh atanh erf erfc erfinv lgamma digamma polygamma mvlgamma i0 sinc xlogy
    special.polygamma special.i0e special.i1 special.i1e special.entr special.ndtri special.log_ndtr special.erfcx special.zeta special.xlog1py
    fmod remainder __rmod__ fmax fmin copysign lerp addcmul addcdiv nan_to_num logit dist cdist F.pdist F.pairwise_distance
    F.cosine_similarity F.normalize F.instance_norm F.local_response_norm F.conv_transpose* F.adaptive_max_pool* F.fractional_max_pool*
    F.max_unpool* F.interpolate F.upsample_* F.grid_sample F.pixel_shuffle F.pixel_unshuffle F.smooth_l1_loss F.huber_loss F.l1_loss
    F.kl_div F.poisson_nll_loss F.gaussian_nll_loss F.hinge_embedding_loss F.cosine_embedding_loss F.margin_ranking_loss F.multi*
    F.soft_margin_loss F.triplet_margin_loss F.binary_cross_entropy F.embedding_bag renorm
    complex real view_as_complex angle polar conj fft.* stft istft`,
};

const patterns = Object.entries(lists).map(([tier, list]) => {
  const names = list.trim().split(/\s+/).map((name) => name.replace('F.', 'nn.functional.').replaceAll('.', '\\.').replace('*', '.*'));
  return [tier as Tier, new RegExp(`^(?:${names.join('|')})$`)] as const;
});

/** The tier of an operator, by its name with or without a variant; null for a module, which is called by the name of a class. */
export function tierOf(name: string): Tier | null {
  if (/^nn\.[A-Z]/.test(name)) return null;
  const operator = name.replace(/\/.*/, '');
  return patterns.find(([, pattern]) => pattern.test(operator))?.[0] ?? 'C';
}
