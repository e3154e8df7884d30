import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { ByteEncoding, CharacterEncoding, classesOf, columnsOf, LabelledImages } from '../src/index.ts';
import { parseCifar, parseCsv, TextDataset } from '../src/index.ts';
import { readCifar } from '../src/node.ts';

describe('parseCsv', () => {
  it('reads quotes, delimiters and line ends inside of fields', () => {
    const text = '\uFEFFa;b\r\n"x;""y""\n2";\r\n;"z"\r\n\r\n';
    expect(parseCsv(text, { delimiter: ';' })).toEqual({ columns: ['a', 'b'], rows: [['x;"y"\n2', ''], ['', 'z']] });
    expect(parseCsv('1,2\n3,4', { header: false })).toEqual({ columns: ['0', '1'], rows: [['1', '2'], ['3', '4']] });
    expect(parseCsv('')).toEqual({ columns: [], rows: [] });
  });

  it('gives back whatever was written with quotes', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ') });
    const table = fc.integer({ min: 2, max: 4 }).chain((width) => fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1 }));
    fc.assert(
      fc.property(table, (rows) => {
        const text = rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')).join('\n');
        expect(parseCsv(text, { header: false }).rows).toEqual(rows);
      }),
    );
  });

  it('names the line that is wrong', () => {
    expect(() => parseCsv('a,b\n"x\ny",1\n1,2,3')).toThrow('line 4 has 3 fields, expected 2 as in the first record.');
    expect(() => parseCsv('a\n"x')).toThrow('the quote that opens in line 2 is never closed.');
    expect(() => parseCsv('a\n"x"y')).toThrow('line 2 goes on after a closing quote');
    expect(() => parseCsv('a\nx"y"')).toThrow('line 2 has a quote inside of a field');
    expect(() => parseCsv('a', { sep: ';' } as object)).toThrow('parseCsv: unknown option sep. Options are delimiter, header');
    expect(() => parseCsv('a', ';' as never)).toThrow("as in { delimiter: … }; got ';'");
    expect(() => parseCsv('a', { delimiter: '"' })).toThrow('the delimiter must be one character');
  });
});

describe('columnsOf and classesOf', () => {
  const table = parseCsv('x,kind,y\n1,oak,2\n-3e2,elm,nan\n 4 ,oak,0');

  it('give numbers and classes', () => {
    expect(columnsOf(table, ['y', 'x'], { dtype: 'float64' }).toArray()).toEqual([[2, 1], [NaN, -300], [0, 4]]);
    expect(classesOf(table, 'kind').labels.toArray()).toEqual([0, 1, 0]);
    const { labels, names } = classesOf(table, 'kind', ['elm', 'oak']);
    expect([labels.toArray(), labels.dtype, names]).toEqual([[1, 0, 1], 'int32', ['elm', 'oak']]);
  });

  it('refuse what is no number, no class or no column', () => {
    expect(() => columnsOf(table)).toThrow('record 1 has "oak" in column "kind", which is no number.');
    expect(() => columnsOf(parseCsv('a\n1\n""\n2'))).toThrow('record 2 has "" in column "a", which is no number.');
    expect(() => columnsOf(table, ['z'])).toThrow('There is no column "z"; the columns are x, kind, y.');
    expect(() => classesOf(table, 'kind', ['oak'])).toThrow('record 2 has "elm" in column "kind", expected one of oak.');
  });
});

describe('text', () => {
  it('is numbered by characters or bytes, there and back', () => {
    const text = 'Über 🌲, über';
    const characters = new CharacterEncoding(text);
    expect(characters.characters).toEqual([' ', ',', 'b', 'e', 'r', 'Ü', 'ü', '🌲']);
    expect(characters.decode(characters.encode(text))).toBe(text);
    expect(new ByteEncoding().decode(new ByteEncoding().encode(text))).toBe(text);
    expect([...new ByteEncoding().encode('ü')]).toEqual([195, 188]);
    expect(() => characters.encode('x')).toThrow('"x" is none of the 8 characters that are known');
    expect(() => characters.decode([8])).toThrow('there is no character 8, only 0 to 7');
    expect(() => new ByteEncoding().decode([256])).toThrow('256 is no byte');
  });

  it('comes in pieces whose targets are one place further', () => {
    const dataset = new TextDataset(Int32Array.of(5, 6, 7, 8, 9), 2);
    expect(dataset.length).toBe(3);
    expect(dataset.getBatch([2, 0]).map((x) => x.toArray())).toEqual([[[7, 8], [5, 6]], [[8, 9], [6, 7]]]);
    expect(() => dataset.get(3)).toThrow('position 3 of 3');
    expect(() => new TextDataset(Int32Array.of(1, 2), 2)).toThrow('blockSize must be from 1 to 1');
  });
});

describe('CIFAR', () => {
  const pixels = (seed: number): number[] => Array.from({ length: 3072 }, (_, i) => (seed + i) & 255);
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tapegrad-cifar-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is read as planes of red, green and blue, which are normalised one by one', () => {
    const { images, labels } = parseCifar(Uint8Array.from([3, ...pixels(0), 9, ...pixels(7)]));
    expect([images.shape, [...labels.data]]).toEqual([[2, 3, 32, 32], [3, 9]]);
    const data = new LabelledImages(images, labels, { mean: [0, 0.5, 1], std: [1, 2, 4] });
    const [image, label] = data.get(1);
    expect([image.shape, label.item()]).toEqual([[3, 32, 32], 9]);
    const at = (channel: number, i: number): number => image.reshape([3, -1]).select(0, channel).select(0, i).item();
    expect(at(0, 1)).toBeCloseTo(8 / 255, 6);
    expect(at(1, 0)).toBeCloseTo((7 / 255 - 0.5) / 2, 6);
    expect(at(2, 1023)).toBeCloseTo((6 / 255 - 1) / 4, 6);
    expect(() => new LabelledImages(images, labels, { channel: true } as object)).toThrow('Did you mean channels?');
    expect(() => parseCifar(new Uint8Array(), { classes: 20 } as object)).toThrow('parseCifar: classes must be 10 or 100, got 20.');
    expect(() => new LabelledImages(images, labels, { mean: [0, 1] })).toThrow('one per channel, got 2 and 3');
    expect(() => data.get(2)).toThrow('there is no image 2, only 0 to 1.');
  });

  it('of 100 classes has fine and coarse labels', () => {
    const bytes = Uint8Array.from([19, 99, ...pixels(0)]);
    expect([...parseCifar(bytes, { classes: 100 }).labels.data]).toEqual([99]);
    expect([...parseCifar(bytes, { classes: 100, coarse: true }).labels.data]).toEqual([19]);
    expect(() => parseCifar(Uint8Array.from([10, ...pixels(0)]))).toThrow('is not CIFAR-10: label 0 is 10, not 0 to 9.');
    expect(() => parseCifar(bytes)).toThrow('has 3074 bytes, but images of CIFAR-10 take 3073 bytes each.');
  });

  it('is found in a folder, packed or not', () => {
    for (const i of [1, 2, 3, 4]) writeFileSync(join(folder, `data_batch_${i}.bin`), Uint8Array.from([i, ...pixels(i)]));
    writeFileSync(join(folder, 'data_batch_5.bin.gz'), gzipSync(Uint8Array.from([5, ...pixels(5)])));
    expect(() => readCifar({ folder })).toThrow(`CIFAR-10 was not found: there is no test_batch.bin (or .gz) in ${folder}`);
    writeFileSync(join(folder, 'test_batch.bin'), Uint8Array.from([7, ...pixels(1)]));
    expect(() => readCifar({ folder, classes: 20 } as object as { folder: string })).toThrow('readCifar: classes must be 10 or 100, got 20.');
    expect(() => readCifar({ folder, corse: true } as { folder: string })).toThrow('Did you mean coarse?');
    const { train, test } = readCifar({ folder });
    expect([[...train.labels.data], [...test.labels.data]]).toEqual([[1, 2, 3, 4, 5], [7]]);
  });
});
