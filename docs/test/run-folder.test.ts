import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interop, tensor } from 'tapegrad';
import { readCheckpoint, ResumeError, RunFolder } from '../examples/run-folder.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapegrad-run-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const checkpoint: interop.Checkpoint = {
  model: { weight: tensor([1, 2]) },
  optimizer: { state: {}, param_groups: [] },
  epoch: 1,
  step: 2,
  random: {},
  extra: {},
};

describe('the folder of a run', () => {
  it('is made, and keeps model, checkpoint and learning curve', () => {
    const run = new RunFolder(join(folder, 'a', 'b'));
    run.saveModel(checkpoint.model);
    run.saveCheckpoint(checkpoint);
    run.saveCurve('<svg/>');
    expect(interop.loadTensors(readFileSync(run.model)).tensors['weight']!.tolist()).toEqual([1, 2]);
    expect(readCheckpoint(run.checkpoint)).toMatchObject({ epoch: 1, step: 2 });
    expect(readFileSync(run.curve, 'utf8')).toBe('<svg/>');
    expect(readdirSync(join(folder, 'a', 'b')).sort()).toEqual([
      'checkpoint.safetensors',
      'learning-curve.svg',
      'model.safetensors',
    ]);
  });

  it('cannot be where a file is', () => {
    const path = join(folder, 'taken');
    writeFileSync(path, '');
    expect(() => new RunFolder(path)).toThrow(`Cannot use the folder ${path}: a file is in its place.`);
    expect(() => new RunFolder(join(path, 'x'))).toThrow(/: a file is in its place\.$/);
    const long = join(folder, 'x'.repeat(1000));
    expect(() => new RunFolder(long)).toThrow(`Cannot use the folder ${long}: its name is too long.`);
  });
});

describe('reading a checkpoint', () => {
  it.each([
    [
      'nothing',
      new Uint8Array(0),
      'The file has 0 bytes, but a safetensors file begins with an 8-byte header length.',
    ],
    [
      'a beginning',
      interop.encodeCheckpoint(checkpoint).subarray(0, 100),
      /^The file ends inside its header: /,
    ],
    [
      'all but the end',
      interop.encodeCheckpoint(checkpoint).slice(0, -1),
      /^The data of "model\.weight" end at byte 8, /,
    ],
    ['a text', new TextEncoder().encode('a letter to a friend'), /so this is no safetensors file\.$/],
    [
      'a model',
      interop.saveTensors(checkpoint.model),
      /^The file holds tensors \("weight"\) but no checkpoint; /,
    ],
  ])('says what is wrong with %s', (_, bytes, expected) => {
    const path = join(folder, 'file');
    writeFileSync(path, bytes);
    let error: unknown;
    try {
      readCheckpoint(path);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ResumeError);
    const { message } = error as Error;
    const prefix = `Cannot resume from ${path}: `;
    expect(message.startsWith(prefix)).toBe(true);
    expect(message.slice(prefix.length)).toMatch(expected);
  });
});
