export { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm } from '@tapegrad/core';
