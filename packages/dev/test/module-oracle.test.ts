import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readModules } from '../src/oracle/files.ts';
import { replayModule, type ModuleSample } from '../src/oracle/module-replay.ts';
import type { Json } from '../src/oracle/values.ts';
import { root } from '../src/root.ts';

// Calls of PyTorch's modules with the numbers that PyTorch computed, the small ones of a larger set.
const lines = readModules(path.join(root, 'packages/dev/test/data/modules.jsonl.gz'));

describe('a module computes what PyTorch does', () => {
  it.each(lines.map((line) => [line.module, line] as const))('%s', (_, line) => {
    const { failures, unsupported, passed } = replayModule(line);
    expect([...failures, ...unsupported]).toEqual([]);
    expect(passed).toBe(line.samples.length);
  });
});

const tensor = (shape: number[], data: number[], dtype = 'float64'): Json => ({ $tensor: { shape, dtype, data } });
const sample = (parts: Partial<ModuleSample>): ModuleSample => {
  return { constructorArgs: [], constructorKwargs: {}, training: true, state: {}, inputs: [], kwargs: {}, outputs: [], ...parts };
};

describe('a call of a module', () => {
  it('asks for indices by the method that gives them', () => {
    const common = { inputs: [tensor([1, 1, 4], [1, 3, 2, 0])] };
    const [values, indices] = [tensor([1, 1, 2], [3, 2]), tensor([1, 1, 2], [1, 2], 'int64')];
    const { failures, unsupported } = replayModule({
      module: 'MaxPool1d',
      samples: [
        sample({ ...common, constructorArgs: [2], constructorKwargs: { return_indices: true }, outputs: [values, indices] }),
        sample({ ...common, constructorArgs: [2, null, 0, 1, true], outputs: [values, indices] }),
        sample({ ...common, constructorArgs: [2], constructorKwargs: { return_indices: false }, outputs: [values] }),
      ],
    });
    expect([...failures, ...unsupported]).toEqual([]);
  });

  it('draws random numbers from the stream that the record began with', () => {
    // What PyTorch 1.13 gives after torch.manual_seed(42).
    const { failures, unsupported } = replayModule({
      module: 'Dropout',
      samples: [sample({ constructorArgs: [0.3], inputs: [tensor([8], [3.5, 7, 7, 7, 7, 7, 7, 7])], outputs: [tensor([8], [5, 10, 10, 10, 10, 10, 0, 0])] })],
    });
    expect([...failures, ...unsupported]).toEqual([]);
  });

  it('gives what is named to the parameter of that name', () => {
    const { failures, unsupported } = replayModule({
      module: 'EmbeddingBag',
      samples: [
        sample({
          constructorArgs: [2, 1],
          constructorKwargs: { mode: 'sum' },
          state: { weight: tensor([2, 1], [1, 10]) },
          inputs: [tensor([1, 2], [0, 1], 'int64')],
          kwargs: { per_sample_weights: tensor([1, 2], [3, 2]) },
          outputs: [tensor([1, 1], [23])],
        }),
      ],
    });
    expect([...failures, ...unsupported]).toEqual([]);
  });
});
