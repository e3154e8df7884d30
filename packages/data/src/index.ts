export { DataError } from './errors.ts';
export { parseIdx } from './idx.ts';
export type { IdxArray } from './idx.ts';
export { defaultCollate } from './collate.ts';
export { type Dataset, Subset, TensorDataset } from './dataset.ts';
export { DataLoader, type DataLoaderOptions } from './loader.ts';
export { type ImagesOptions, LabelledImages } from './images.ts';
export { RandomSampler, type Sampler, SequentialSampler } from './sampler.ts';
