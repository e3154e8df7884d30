export { DataError } from './errors.ts';
export { parseIdx } from './idx.ts';
export type { IdxArray } from './idx.ts';
export { parseCifar } from './cifar.ts';
export type { ImageArrays } from './cifar.ts';
export { defaultCollate } from './collate.ts';
export { classesOf, columnsOf, type CsvOptions, type CsvTable, parseCsv } from './csv.ts';
export {
  ChainDataset,
  ConcatDataset,
  type Dataset,
  type IterableDataset,
  randomSplit,
  StackDataset,
  Subset,
  TensorDataset,
} from './dataset.ts';
export { DataLoader } from './loader.ts';
export type { DataLoaderOptions } from './loader-options.ts';
export type { LoaderState } from './loader-place.ts';
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
  type Sized,
  SubsetRandomSampler,
} from './sampler.ts';
export { ByteEncoding, CharacterEncoding, type Encoding, TextDataset } from './text.ts';
export { WeightedRandomSampler, type WeightedSamplerOptions } from './weighted-sampler.ts';
export { getWorkerInfo, type WorkerInfo } from './workers.ts';
