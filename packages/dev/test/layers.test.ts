import { describe, expect, it } from '@jest/globals';
import { cycleFindings } from '../src/checks/cycles.ts';
import { layerFindings } from '../src/checks/layers.ts';
import { withFiles } from './workspace.ts';

/** The findings about one file with the given text. */
function findings(file: string, text: string): Promise<string[]> {
  return withFiles({ [`packages/${file}`]: text }, layerFindings);
}

describe('the layer check', () => {
  it('lets a file load what comes before it and its own room', async () => {
    const text = "import './shape.ts';\nimport './storage.ts';\nimport './tape.ts';\n";
    expect(await findings('core/src/tensor.ts', text)).toEqual([]);
  });

  it('finds a file that loads what comes after it', async () => {
    const [first, ...rest] = await findings('core/src/shape.ts', "\nimport { Tensor } from './tensor.ts';\n");
    expect(first).toBe(
      'packages/core/src/shape.ts:2 imports ./tensor.ts: "vocabulary" may not load "state", which comes after it',
    );
    expect(rest).toEqual([]);
  });

  it('takes a re-export and an inline type import for loading', async () => {
    expect(await findings('core/src/shape.ts', "export { Tensor } from './tensor.ts';\n")).toHaveLength(1);
    expect(await findings('core/src/shape.ts', "import { type Tensor } from './tensor.ts';\n")).toHaveLength(1);
  });

  it('lets types go up, and code that is loaded on demand', async () => {
    const text = "import type { Tensor } from './tensor.ts';\nexport const later = () => import('./index.ts');\n";
    expect(await findings('core/src/shape.ts', text)).toEqual([]);
  });

  it('keeps the rules apart, and lets the rule book gather them', async () => {
    const text = "import './trigonometry.ts';\n";
    expect(await findings('core/src/ops/matmul.ts', text)).toHaveLength(1);
    expect(await findings('core/src/ops/index.ts', text)).toEqual([]);
  });

  it('asks for a room for every file of core', async () => {
    expect((await findings('core/src/stray.ts', 'export {};\n'))[0]).toMatch(/stray\.ts has no room/);
  });

  it('keeps ndarray in the reference backend', async () => {
    const text = "import ndarray from 'ndarray';\n";
    expect(await findings('core/src/storage.ts', text)).toHaveLength(1);
    expect(await findings('core/src/backend/wasm/copy.ts', text)).toHaveLength(1);
    expect(await findings('core/src/backend/reference/copy.ts', text)).toEqual([]);
  });

  it('lets a package import core by its name only', async () => {
    expect(await findings('nn/src/linear.ts', "import { Tensor } from '@tapegrad/core';\n")).toEqual([]);
    expect(await findings('nn/src/linear.ts', "import '@tapegrad/core/src/tape.ts';\n")).toHaveLength(1);
    expect(await findings('nn/src/linear.ts', "import type { A } from '../../core/src/tape.ts';\n")).toHaveLength(1);
    expect(await findings('optim/src/adam.ts', "import type { Module } from '@tapegrad/nn';\n")).toHaveLength(1);
    expect(await findings('data/src/loader.ts', "import 'lodash';\n")).toHaveLength(1);
  });

  it('keeps what needs Node behind the node entry', async () => {
    const text = "import { readFileSync } from 'node:fs';\n";
    expect(await findings('data/src/idx.ts', text)).toHaveLength(1);
    expect(await findings('data/src/node.ts', text)).toEqual([]);
  });
});

describe('the cycle check', () => {
  it('prints the circle', async () => {
    const files = {
      'packages/nn/src/a.ts': "import './b.ts';\n",
      'packages/nn/src/b.ts': "export * from './c.ts';\n",
      'packages/nn/src/c.ts': "import './b.ts';\n",
    };
    expect(await withFiles(files, cycleFindings)).toEqual([
      'packages/nn/src/b.ts -> packages/nn/src/c.ts -> packages/nn/src/b.ts',
    ]);
  });

  it('does not mind a circle that is closed by a type or on demand', async () => {
    const files = {
      'packages/nn/src/a.ts': "import './b.ts';\n",
      'packages/nn/src/b.ts': "import type { A } from './a.ts';\nexport const a = () => import('./a.ts');\n",
    };
    expect(await withFiles(files, cycleFindings)).toEqual([]);
  });
});
