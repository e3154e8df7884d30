export * from './orthogonal.ts';
export { spectralNorm, weightNorm, type SpectralNormOptions, type WeightNormOptions } from './weight-parametrizations.ts';
