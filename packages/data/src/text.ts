import { tensor, ValueError, type Tensor } from '@tapegrad/core';
import type { Dataset } from './dataset.ts';

/** A way between text and numbers from 0 to size − 1. */
export interface Encoding {
  /** How many numbers there are. */
  readonly size: number;
  /** @throws ValueError for what has no number */
  encode(text: string): Int32Array;
  /** @throws ValueError for a number that stands for nothing */
  decode(numbers: Iterable<number>): string;
}

/**
 * One number for each character of a text, in the order of their code points.
 * @example
 * const characters = new tg.data.CharacterEncoding('hello');
 * console.log(characters.size, [...characters.encode('hole')]); // → 4 [ 1, 3, 2, 0 ]
 * console.log(characters.decode([1, 0, 2, 2, 3])); // → hello
 */
export class CharacterEncoding implements Encoding {
  readonly size: number;
  /** The characters in order. */
  readonly characters: readonly string[];
  private readonly numbers: ReadonlyMap<string, number>;

  /** @param text whatever has all characters that are to be known */
  constructor(text: string) {
    this.characters = [...new Set(text)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
    this.numbers = new Map(this.characters.map((character, i) => [character, i]));
    this.size = this.characters.length;
  }

  encode(text: string): Int32Array {
    return Int32Array.from(text, (character) => {
      const number = this.numbers.get(character);
      if (number === undefined) {
        throw new ValueError(`CharacterEncoding: ${JSON.stringify(character)} is none of the ${this.size} characters that are known`);
      }
      return number;
    });
  }

  decode(numbers: Iterable<number>): string {
    return Array.from(numbers, (number) => {
      const character = this.characters[number];
      if (character === undefined) throw new ValueError(`CharacterEncoding: there is no character ${number}, only 0 to ${this.size - 1}`);
      return character;
    }).join('');
  }
}

/** The bytes of a text in UTF-8: any text, 256 numbers. */
export class ByteEncoding implements Encoding {
  readonly size = 256;

  encode(text: string): Int32Array {
    return Int32Array.from(new TextEncoder().encode(text));
  }

  /** Bytes that are no UTF-8, as a model may write them, become replacement characters. */
  decode(numbers: Iterable<number>): string {
    const bytes = Array.from(numbers, (number) => {
      if (!(number >= 0 && number < 256)) throw new ValueError(`ByteEncoding: ${number} is no byte`);
      return number;
    });
    return new TextDecoder().decode(Uint8Array.from(bytes));
  }
}

/**
 * Pieces of a text for a model that says what comes next: sample i is the piece of `blockSize` numbers from place i on,
 * and the piece one place further.
 * @example
 * const encoding = new tg.data.CharacterEncoding('abc');
 * const dataset = new tg.data.TextDataset(encoding.encode('abcab'), 3);
 * console.log(dataset.length, dataset.get(1).map((x) => x.toArray())); // → 2 [ [ 1, 2, 0 ], [ 2, 0, 1 ] ]
 */
export class TextDataset implements Dataset<[input: Tensor, target: Tensor]> {
  readonly length: number;
  private readonly numbers: Int32Array;
  private readonly blockSize: number;

  /** @throws ValueError when the text is not longer than a piece */
  constructor(numbers: Int32Array, blockSize: number) {
    if (!(Number.isInteger(blockSize) && blockSize > 0 && blockSize < numbers.length)) {
      throw new ValueError(`TextDataset: blockSize must be from 1 to ${numbers.length - 1}, less than the text is long, got ${blockSize}`);
    }
    this.numbers = numbers;
    this.blockSize = blockSize;
    this.length = numbers.length - blockSize;
  }

  get(index: number): [input: Tensor, target: Tensor] {
    const [input, target] = this.getBatch([index]);
    return [input.squeeze(0), target.squeeze(0)];
  }

  getBatch(indices: readonly number[]): [input: Tensor, target: Tensor] {
    const { numbers, blockSize } = this;
    const pieces = (shift: number): Tensor => {
      const batch = new Int32Array(indices.length * blockSize);
      indices.forEach((start, row) => {
        if (!(start >= 0 && start < this.length)) throw new ValueError(`TextDataset: position ${start} of ${this.length}`);
        batch.set(numbers.subarray(start + shift, start + shift + blockSize), row * blockSize);
      });
      return tensor(batch).view([indices.length, blockSize]);
    };
    return [pieces(0), pieces(1)];
  }
}
