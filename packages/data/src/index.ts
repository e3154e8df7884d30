export { DataError } from './errors.ts';
export { parseIdx } from './idx.ts';
export type { IdxArray } from './idx.ts';
export { defaultCollate } from './collate.ts';
export { ConcatDataset, type Dataset, type IterableDataset, randomSplit, Subset, TensorDataset } from './dataset.ts';
export { DataLoader, type DataLoaderOptions } from './loader.ts';
export { type ImagesOptions, LabelledImages } from './images.ts';
export {
  BatchSampler,
  type BatchSource,
  DistributedSampler,
  type DistributedSamplerOptions,
  RandomSampler,
  type RandomSamplerOptions,
  type Sampler,
  SequentialSampler,
  SubsetRandomSampler,
} from './sampler.ts';
export { WeightedRandomSampler, type WeightedSamplerOptions } from './weighted-sampler.ts';
