import { data, type Tensor } from 'tapegrad';

/** A text in numbers, and random pieces of it to learn from. */
export class TextBatches {
  readonly encoding: data.CharacterEncoding;
  /** Batches without end: characters [batch, length], and those that follow each. */
  readonly train: () => [input: Tensor, target: Tensor];
  /** Always the same pieces, from the last twentieth of the text, which is not learned from. */
  readonly test: [input: Tensor, target: Tensor];

  /**
   * @param text the whole text
   * @param batch pieces in a batch
   * @param length characters in a piece
   */
  constructor(text: string, batch: number, length: number) {
    this.encoding = new data.CharacterEncoding(text);
    const numbers = this.encoding.encode(text);
    const border = Math.floor(0.95 * numbers.length);
    const pieces = new data.TextDataset(numbers.subarray(0, border), length);
    const order = new data.RandomSampler(pieces.length, { replacement: true, numSamples: batch });
    this.train = () => pieces.getBatch([...order]);
    const others = new data.TextDataset(numbers.subarray(border), length);
    this.test = others.getBatch(Array.from({ length: 100 }, (_, i) => Math.floor((i / 100) * others.length)));
  }
}
