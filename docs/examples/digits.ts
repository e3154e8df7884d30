import { fileURLToPath } from 'node:url';
import { data } from 'tapegrad';
import { readMnist } from '@tapegrad/data/node';
import type { Batch } from './training.ts';

/** MNIST: 60 000 handwritten digits to learn from and 10 000 of other people to test with; fewer if that is enough. */
export function readDigits(
  options: data.ImagesOptions,
  most: { train: number; test: number } = { train: Infinity, test: Infinity },
): { train: data.Dataset<Batch>; test: data.Dataset<Batch> } {
  const files = readMnist({ from: fileURLToPath(new URL('.', import.meta.url)) });
  const first = (images: data.Dataset<Batch>, n: number): data.Dataset<Batch> =>
    n >= images.length ? images : new data.Subset(images, Array.from({ length: n }, (_, i) => i));
  return {
    train: first(new data.LabelledImages(files.trainImages, files.trainLabels, options), most.train),
    test: first(new data.LabelledImages(files.testImages, files.testLabels, options), most.test),
  };
}
