import { noGrad, ValueError, zerosLike } from '@tapegrad/core';
import type { RunningNorm } from './layers/batch-norm.ts';
import { TransposedConvolution, type ConvBase } from './layers/convolution.ts';
import { Parameter } from './parameter.ts';

/**
 * Takes a batch normalisation that stands behind a convolution into the convolution's weight and bias, both
 * in evaluation.
 * @returns the convolution, changed
 * @throws ValueError in training, or without running statistics
 * @source torch.nn.utils.fusion.fuse_conv_bn_eval
 */
export function fuseConvBnEval<C extends ConvBase>(conv: C, norm: RunningNorm): C {
  const { runningMean, runningVar } = norm;
  if (conv.training || norm.training)
    throw new ValueError('fuseConvBnEval: call eval() on convolution and normalisation first');
  if (runningMean === null || runningVar === null) {
    throw new ValueError('fuseConvBnEval: the normalisation must have running statistics');
  }
  if (conv instanceof TransposedConvolution && conv.groups !== 1) {
    throw new ValueError('fuseConvBnEval: transposed convolutions in groups cannot be fused');
  }
  return noGrad(() => {
    const factor = runningVar
      .add(norm.eps)
      .rsqrt()
      .mul(norm.weight ?? 1);
    const outputs = conv instanceof TransposedConvolution ? 1 : 0;
    const bias = (conv.bias ?? zerosLike(runningMean))
      .sub(runningMean)
      .mul(factor)
      .add(norm.bias ?? 0);
    conv.weight = new Parameter(
      conv.weight.mul(factor.reshape(conv.weight.shape.map((_, d) => (d === outputs ? -1 : 1)))),
      {
        requiresGrad: conv.weight.requiresGrad,
      },
    );
    conv.bias = new Parameter(bias, { requiresGrad: conv.bias?.requiresGrad ?? true });
    return conv;
  });
}
