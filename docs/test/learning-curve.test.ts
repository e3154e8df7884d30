import { describe, expect, it } from '@jest/globals';
import { learningCurveSvg, type Panel, type Series } from '../examples/learning-curve.ts';

const draw = (...series: Series[]): string =>
  learningCurveSvg({ title: 'T', panels: [{ title: 'Loss', xLabel: 'epoch', series }] });

/** All texts of the picture, in order. */
const texts = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]!);
const coordinates = (svg: string): number[] =>
  [...svg.matchAll(/ d="([^"]*)"/g)].flatMap((match) => match[1]!.match(/-?[\d.]+/g)!.map(Number));

describe('a learning curve', () => {
  it('names everything: title, panels, axes, series with their last values', () => {
    const panel = (title: string, format: 'number' | 'percent'): Panel => ({
      title,
      xLabel: 'epoch',
      format,
      series: [{ name: 'test', x: [1, 2, 3], y: [0.9, 0.95, 0.9812] }],
    });
    const svg = learningCurveSvg({
      title: 'MNIST',
      subtitle: 'two layers',
      panels: [panel('Loss', 'number'), panel('Accuracy', 'percent')],
    });
    expect(texts(svg)).toEqual(expect.arrayContaining(['MNIST', 'two layers', 'Loss', 'Accuracy', 'epoch']));
    expect(texts(svg)).toEqual(
      expect.arrayContaining(['test 0.9812', 'test 98.12 %', '0.90', '0.98', '90 %', '98 %']),
    );
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 920 362"/);
  });

  it('puts ticks at round numbers, and the points between them', () => {
    const svg = draw({ name: 'a', x: [0, 10], y: [0, 4] });
    expect(texts(svg)).toEqual([
      'T',
      'Loss',
      '0',
      '1',
      '2',
      '3',
      '4',
      '0',
      '2',
      '4',
      '6',
      '8',
      '10',
      'epoch',
      'a 4',
    ]);
    // Left end of the frame at the bottom, right end at the top.
    expect(coordinates(svg)).toEqual([56, 256, 440, 56]);
  });

  it('has a gap where a value is not finite', () => {
    const svg = draw({ name: 'a', x: [0, 1, 2, 3, 4], y: [1, 2, NaN, 3, Infinity] });
    expect(svg.match(/<path /g)).toHaveLength(2);
    expect(svg.match(/r="3"/g)).toHaveLength(3);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('draws a long series as a mean in the band of its extremes, in a small file', () => {
    const x = Array.from({ length: 51_200 }, (_, i) => i);
    const svg = draw({ name: 'a', x, y: x.map((i) => (i % 2) * 2) });
    expect(svg).toContain('fill-opacity="0.16"');
    expect(texts(svg)).toContain('a 1');
    expect(svg.length).toBeLessThan(15_000);
  });

  it('does not let the first steps flatten the rest', () => {
    const x = Array.from({ length: 100 }, (_, i) => i);
    const svg = draw({ name: 'a', x, y: x.map((i) => (i < 3 ? 1000 : 1 + (i % 5) / 10)) });
    expect(texts(svg)).toContain('1.4');
    expect(texts(svg)).not.toContain('1000');
  });

  it('draws nothing, one point and a constant without trouble', () => {
    for (const y of [[], [3], [0, 0, 0]]) {
      const svg = draw({ name: 'a', x: y.map((_, i) => i), y });
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    }
    expect(texts(draw())).toContain('no data');
  });

  it('escapes names', () => {
    expect(texts(draw({ name: 'a<b & "c"\u0001', x: [], y: [] }))).toContain('a&lt;b &amp; &quot;c&quot;');
  });

  it('refuses x and y of different lengths', () => {
    expect(() => draw({ name: 'a', x: [1, 2], y: [1] })).toThrow(
      'Series "a" has 2 x and 1 y; each point needs both.',
    );
  });
});
