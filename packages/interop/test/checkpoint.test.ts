import { describe, expect, it } from '@jest/globals';
import { Tensor, tensor } from '@tapegrad/core';
import { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from '../src/checkpoint.ts';
import { FormatError } from '../src/errors.ts';
import { checkModelState } from '../src/model-state.ts';
import { loadTensors, saveTensors } from '../src/tensors.ts';

function example(): Checkpoint {
  return {
    model: {
      'fc.weight': tensor([
        [1, -0],
        [NaN, 0.1],
      ]),
      'fc.bias': tensor([3, 4]),
    },
    optimizer: {
      state: {
        0: {
          step: 5,
          exp_avg: tensor([
            [1, 2],
            [3, 4],
          ]),
          exp_avg_sq: tensor([
            [5, 6],
            [7, 8],
          ]),
        },
        1: { step: 5, exp_avg: tensor([9, 10]) },
        12: { step: 1, old_dirs: [tensor([1, 2]), tensor([3, -0])], ro: [0.5, Infinity] },
      },
      param_groups: [{ lr: 0.1 + 0.2, betas: [0.9, 0.999], amsgrad: false, params: [0, 1] }],
    },
    scheduler: { last_epoch: 2, base_lrs: [1e-3], best: -Infinity },
    loader: { given: [2, 1], turn: 1, seed: null, random: { present: Uint8Array.of(3, 4), worker0: Uint8Array.of(5) } },
    epoch: 2,
    step: 117,
    random: { present: Uint8Array.of(1, 2, 255), epochStart: new Uint8Array(5056).fill(7) },
    extra: {
      losses: tensor(Float64Array.of(0.1, 0.2)),
      seconds: 1.5,
      odd: [-0, NaN, Infinity, null],
      curves: [tensor([1]), [tensor([2, 3]), 'unit']],
      name: 'run',
    },
  };
}

/** A record in which each tensor is replaced by its dtype, shape and elements. */
function flat(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (value instanceof Tensor) return [value.dtype, [...value.shape], value.toTypedArray()];
  if (Array.isArray(value)) return value.map(flat);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, flat(item)]));
}

function message(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
  return 'nothing was thrown';
}

describe('encodeCheckpoint and decodeCheckpoint', () => {
  it('give everything back, to the sign of zero', () => {
    const checkpoint = example();
    const back = decodeCheckpoint(encodeCheckpoint(checkpoint));
    expect(flat(back)).toStrictEqual(flat(checkpoint));
    // Equality of objects is by Object.is, so that -0 and 0 differ.
    expect(Object.is((back.extra['odd'] as number[])[0], -0)).toBe(true);
  });

  it('are stable: encoding what was decoded gives the same bytes', () => {
    const bytes = encodeCheckpoint(example());
    expect(encodeCheckpoint(decodeCheckpoint(bytes))).toEqual(bytes);
  });

  it('refuse metadata that name a tensor which is not there', () => {
    const { tensors, metadata } = loadTensors(encodeCheckpoint(example()));
    const { 'optimizer.state.12.old_dirs.1': _, ...rest } = tensors;
    expect(message(() => decodeCheckpoint(saveTensors(rest, metadata)))).toMatch(
      /lacks the tensor "optimizer.state.12.old_dirs.1" that its metadata name/,
    );
  });

  it('write a safetensors file that others can read', () => {
    const { tensors, metadata } = loadTensors(encodeCheckpoint(example()));
    expect(Object.keys(tensors).sort()).toEqual([
      'extra.curves.0',
      'extra.curves.1.0',
      'extra.losses',
      'loader.present',
      'loader.worker0',
      'model.fc.bias',
      'model.fc.weight',
      'optimizer.state.0.exp_avg',
      'optimizer.state.0.exp_avg_sq',
      'optimizer.state.1.exp_avg',
      'optimizer.state.12.old_dirs.0',
      'optimizer.state.12.old_dirs.1',
      'random.epochStart',
      'random.present',
    ]);
    expect(metadata['format']).toBe('tapegrad-checkpoint');
  });

  it('do without a scheduler and a loader', () => {
    const { scheduler: _, loader: __, ...rest } = example();
    expect(decodeCheckpoint(encodeCheckpoint(rest)).scheduler).toBeUndefined();
    expect(decodeCheckpoint(encodeCheckpoint(rest))).not.toHaveProperty('loader');
  });

  it('refuse a value that would not come back', () => {
    const call = (extra: Record<string, unknown>) => () => encodeCheckpoint({ ...example(), extra });
    expect(message(call({ now: { at: new Date() } }))).toBe(
      'The value extra.now.at is a Date, which a checkpoint cannot hold there.',
    );
    expect(message(call({ list: [1, () => 1] }))).toContain('extra.list[1] is a function');
    expect(message(call({ deep: { x: tensor([1]) } }))).toContain('extra.deep.x is a Tensor');
  });
});

describe('decodeCheckpoint', () => {
  it('says that a model file is no checkpoint', () => {
    expect(message(() => decodeCheckpoint(saveTensors({ weight: tensor([1]) })))).toBe(
      'The file holds tensors ("weight") but no checkpoint; a model file alone cannot be resumed from.',
    );
  });

  it('says what is wrong with every beginning of a file', () => {
    const bytes = encodeCheckpoint(example());
    for (let length = 0; length < bytes.length; length += 1 + (length >> 4)) {
      expect(message(() => decodeCheckpoint(bytes.subarray(0, length)))).toMatch(/^The [^\n]+\.$/);
    }
  });

  it('says that a foreign file is none of its own', () => {
    const foreign = new TextEncoder().encode('P5 28 28 255 and then an image, not a checkpoint');
    expect(message(() => decodeCheckpoint(foreign))).toContain('this is no safetensors file');
  });

  it('refuses a later version and incomplete metadata', () => {
    const { tensors, metadata } = loadTensors(encodeCheckpoint(example()));
    const changed = (change: Record<string, string>): Uint8Array =>
      saveTensors(tensors, { ...metadata, ...change });
    expect(message(() => decodeCheckpoint(changed({ version: '2' })))).toBe(
      'The checkpoint has the version "2"; this program reads version 1.',
    );
    for (const checkpoint of [
      '',
      '[]',
      '{}',
      '{"epoch":-1}',
      '{"epoch":1,"step":0,"optimizer":{},"extra":{}}',
    ]) {
      expect(message(() => decodeCheckpoint(changed({ checkpoint })))).toMatch(/^The checkpoint's metadata /);
    }
  });
});

describe('checkModelState', () => {
  const own = { 'fc1.weight': tensor([[1, 2]]), 'fc1.bias': tensor([1]), 'fc2.weight': tensor([1]) };

  it('accepts the same names and shapes in any order', () => {
    expect(() => checkModelState(Object.fromEntries(Object.entries(own).reverse()), own)).not.toThrow();
  });

  it('names the first differences and counts the others', () => {
    const other = {
      'fc1.weight': tensor([[1], [2]]),
      'fc1.bias': tensor([true]),
      a: own['fc1.bias'],
      b: tensor(1),
    };
    expect(message(() => checkModelState(other, own))).toBe(
      'The file is of another model: "fc1.weight" is [2, 1] instead of [1, 2]; "fc1.bias" is bool instead of ' +
        'float32; "fc2.weight" [1] is missing; and 2 more.',
    );
    expect(message(() => checkModelState({ ...own, c: tensor(1) }, own))).toBe(
      'The file is of another model: "c" is unknown to this model.',
    );
  });
});
