import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Tensor } from '@tapegrad/core';
import { FormatError, loadTorch, loadTorchState, saveTensors } from '../src/index.ts';
import { decodeZip, encodeZip, type ZipEntry } from '../src/zip.ts';

// Written by PyTorch 1.13; training.py beside it is the program.
const training: Uint8Array = new Uint8Array(readFileSync(new URL('./data/training.pt', import.meta.url)));

/** A value in which each tensor is replaced by its dtype, shape and elements. */
function flat(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Tensor) return [value.dtype, [...value.shape], [...value.toTypedArray()]];
  if (Array.isArray(value)) return value.map(flat);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, flat(item)]));
}

/** A file with this pickle, and these bytes in each of its storages 0 and 1. */
function file(pickle: string | Uint8Array, storage = 8): Uint8Array {
  const data = typeof pickle === 'string' ? Uint8Array.from(pickle, (character) => character.charCodeAt(0)) : pickle;
  const storages = [0, 1].map((i): ZipEntry => ({ name: `x/data/${i}`, data: new Uint8Array(storage) }));
  return encodeZip([{ name: 'x/data.pkl', data }, ...storages]);
}

const text = (value: string): string => `\x8c${String.fromCharCode(value.length)}${value}`;
const sizes = (...values: number[]): string => `(${values.map((value) => `K${String.fromCharCode(value)}`).join('')}t`;
/** The instructions for a tensor in storage 0, which has two floats. */
const rebuilt = (offset: number, shape: string, strides: string, type = 'FloatStorage', length = 2): string => {
  const storage = `(${text('storage')}ctorch\n${type}\n${text('0')}${text('cpu')}K${String.fromCharCode(length)}tQ`;
  return `ctorch._utils\n_rebuild_tensor_v2\n(${storage}K${String.fromCharCode(offset)}${shape}${strides}\x89}tR`;
};

describe('loadTorch', () => {
  it('reads what PyTorch saved: state dicts, plain values, all dtypes and layouts', async () => {
    const found = flat(await loadTorch(training)) as Record<string, Record<string, unknown>>;
    expect(found['plain']).toEqual({
      epoch: 5, loss: 0.25, seed: 2n ** 60n, low: -70000, name: 'Über', best: null, done: true, size: [2, 3],
    });
    expect(found['layouts']).toEqual({
      turned: ['float32', [4, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
      part: ['float32', [2, 2], [5, 6, 9, 10]],
      wide: ['float32', [2, 4], [0, 1, 2, 3, 0, 1, 2, 3]],
      none: ['float32', [0, 3], []],
      one: ['float32', [], [7]],
    });
    const whole = ['int64', 'int32', 'int16', 'int8'].map((name) => [name, ['int32', [3], [0, 1, 100]]]);
    expect(found['dtypes']).toEqual({
      ...Object.fromEntries(whole),
      float64: ['float64', [3], [0, 1, 100]],
      float16: ['float32', [3], [0, 1, 100]],
      bfloat16: ['float32', [3], [0, 1, 100]],
      uint8: ['uint8', [3], [0, 1, 100]],
      bool: ['bool', [3], [0, 1, 1]],
    });
    expect(found['schedule']).toMatchObject({ milestones: { 4: 1, 7: 2 }, base_lrs: [0.5], last_epoch: 1 });
    expect(found['parameter']).toEqual(['float32', [4], [8, 9, 10, 11]]);
    expect(Object.keys(found['model']!)).toEqual([
      '0.weight', '1.weight', '1.bias', '1.running_mean', '1.running_var', '1.num_batches_tracked',
    ]);
    const [, , weight] = found['model']!['0.weight'] as [string, number[], number[]];
    expect(weight).toEqual([-0.5052939653396606, -0.12067705392837524, -0.08198076486587524, -1.0203874111175537, -0.772345244884491, -0.3103840947151184]);
    const { state, param_groups: groups } = found['optimizer'] as { state: Record<string, unknown>; param_groups: object[] };
    expect(Object.keys(state)).toEqual(['0', '1', '2']);
    expect(groups[0]).toMatchObject({ lr: 0.5, betas: [0.75, 0.875], foreach: null, params: [0, 1, 2] });
  });

  it('gives each tensor memory of its own', async () => {
    const { layouts } = (await loadTorch(training)) as { layouts: { turned: Tensor; part: Tensor } };
    layouts.turned.zero_();
    expect(layouts.part.toArray()).toEqual([[5, 6], [9, 10]]);
    expect(layouts.turned.isContiguous()).toBe(true);
  });

  it('refuses whatever is no tensor or plain value, by its name', async () => {
    const asked = async (pickle: string): Promise<unknown> => loadTorch(file(pickle));
    await expect(asked(`cposix\nsystem\n(${text('echo')}tR.`)).rejects.toThrow(
      'The file asks for "posix.system", which is never called here; save tensors and plain values only, such as model.state_dict().',
    );
    await expect(asked(`${text('torch.nn')}${text('Linear')}\x93)\x81.`)).rejects.toThrow('asks for "torch.nn.Linear"');
    await expect(asked('ctorch\nfloat32\n.')).rejects.toThrow('holds "torch.float32" itself');
    await expect(asked('cbuiltins\nconstructor\n)R.')).rejects.toThrow('asks for "builtins.constructor"');
    await expect(asked('\x8f.')).rejects.toThrow('has the instruction 0x8f, which no file');
    await expect(asked('}K\x01K\x02\x86K\x03s.')).rejects.toThrow('a dictionary with the key [1,2]');
    await expect(asked(']q\x00h\x00a.')).rejects.toThrow('more than 200 deep, or in a circle');
    await expect(asked('ccollections\nOrderedDict\n]K\x01a\x85R.')).rejects.toThrow('where it describes an ordered dictionary');
    await expect(asked(`${rebuilt(0, sizes(2), sizes(1), 'ComplexFloatStorage')}.`)).rejects.toThrow(
      'The file holds a tensor in a "torch.ComplexFloatStorage", whose elements have no counterpart here; convert it to float32.',
    );
  });

  it('refuses tensors that reach outside of their storage, or need more memory than allowed', async () => {
    expect(flat(await loadTorch(file(`${rebuilt(0, sizes(2), sizes(1))}.`)))).toEqual(['float32', [2], [0, 0]]);
    await expect(loadTorch(file(`${rebuilt(1, sizes(2), sizes(1))}.`))).rejects.toThrow(
      'a tensor [2] that reaches outside of storage 0, which has 2 elements',
    );
    await expect(loadTorch(file(`${rebuilt(0, sizes(2, 2), sizes(1))}.`))).rejects.toThrow('where it describes a tensor');
    await expect(loadTorch(file(`${rebuilt(0, sizes(2), sizes(1), 'FloatStorage', 3)}.`))).rejects.toThrow('the storage "0"');
    const wide = file(`${rebuilt(0, sizes(...Array.from({ length: 7 }, () => 200)), sizes(0, 0, 0, 0, 0, 0, 0))}.`);
    await expect(loadTorch(wide)).rejects.toThrow('more bytes than maxBytes allows');
    await expect(loadTorch(training, { maxBytes: 1000 })).rejects.toThrow('more than 1000 bytes once unpacked');
  });

  it('says of other files what they are', async () => {
    await expect(loadTorch(Uint8Array.of(0x80, 2, 0x8a))).rejects.toThrow('before PyTorch 1.6; load it there and save it again');
    await expect(loadTorch(saveTensors({}))).rejects.toThrow('no whole zip archive');
    await expect(loadTorch(encodeZip([{ name: 'x.npy', data: new Uint8Array(1) }]))).rejects.toThrow('has no data.pkl');
    const big = { name: 'x/byteorder', data: new TextEncoder().encode('big') };
    await expect(loadTorch(encodeZip([{ name: 'x/data.pkl', data: Uint8Array.of(0x4e, 0x2e) }, big]))).rejects.toThrow('their most significant byte; convert it there');
  });

  it('throws FormatError, or reads something, whatever byte of the pickle is changed or missing', async () => {
    const entries = await decodeZip(training, 2 ** 20);
    const at = entries.findIndex(({ name }) => name.endsWith('data.pkl'));
    const pickle = entries[at]!.data;
    const others: unknown[] = [];
    const attempt = async (data: Uint8Array): Promise<void> => {
      const result = await loadTorch(encodeZip(entries.with(at, { name: entries[at]!.name, data }))).catch((error: unknown) => error);
      if (result instanceof Error && !(result instanceof FormatError)) others.push(result);
    };
    for (let i = 0; i < pickle.length; i += 3) {
      const changed = pickle.slice();
      changed[i]! ^= 1 << (i % 8);
      await attempt(changed);
      if (i % 5 === 0) await attempt(pickle.subarray(0, i));
    }
    expect(others).toEqual([]);
  });
});

describe('loadTorchState', () => {
  it('gives tensors by name, and refuses what else a file may hold', async () => {
    const pair = `}${text('w')}${rebuilt(0, sizes(2), sizes(1))}s.`;
    expect(flat(await loadTorchState(file(pair)))).toEqual({ w: ['float32', [2], [0, 0]] });
    await expect(loadTorchState(training)).rejects.toThrow(
      'The file is no state dict: it holds something else under "model"; take the part that you need from loadTorch.',
    );
    await expect(loadTorchState(file('K\x05.'))).rejects.toThrow('it holds a single value');
    await expect(loadTorchState(file(`${rebuilt(0, sizes(2), sizes(1))}.`))).rejects.toThrow('it holds a single value');
  });
});
