import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileError } from '../src/errors.ts';
import { readFileBytes, writeFileAtomic } from '../src/node.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapegrad-interop-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('writeFileAtomic', () => {
  it('writes a new file, and replaces an old one', () => {
    const path = join(folder, 'model.safetensors');
    writeFileAtomic(path, Uint8Array.of(1, 2, 3));
    writeFileAtomic(path, Uint8Array.of(4, 5));
    expect([...readFileSync(path)]).toEqual([4, 5]);
    expect(readdirSync(folder)).toEqual(['model.safetensors']);
  });

  it('keeps the mode of the file that it replaces, whatever the mask', () => {
    const path = join(folder, 'model');
    writeFileSync(path, 'old');
    chmodSync(path, 0o666);
    const mask = process.umask(0o077);
    try {
      writeFileAtomic(path, Uint8Array.of(1));
      writeFileAtomic(join(folder, 'other'), Uint8Array.of(1));
    } finally {
      process.umask(mask);
    }
    expect(statSync(path).mode & 0o777).toBe(0o666);
    expect(statSync(join(folder, 'other')).mode & 0o777).toBe(0o600);
  });

  it('writes through a symbolic link', () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real', 'model'), 'old');
    symlinkSync(join('real', 'model'), join(folder, 'link'));
    writeFileAtomic(join(folder, 'link'), Uint8Array.of(65));
    expect(readFileSync(join(folder, 'real', 'model'), 'utf8')).toBe('A');
    expect(readdirSync(join(folder, 'real'))).toEqual(['model']);
  });

  it('leaves the old file and no temporary one when writing fails midway', () => {
    const path = join(folder, 'model');
    writeFileSync(path, 'old');
    const notBytes = { length: 5 } as unknown as Uint8Array;
    expect(() => writeFileAtomic(path, notBytes)).toThrow(FileError);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['model']);
  });

  it('says which file and why', () => {
    const missing = join(folder, 'no', 'model');
    expect(() => writeFileAtomic(missing, new Uint8Array(1))).toThrow(
      `Cannot write ${missing}: its folder does not exist.`,
    );
    expect(() => writeFileAtomic(folder, new Uint8Array(1))).toThrow(
      `Cannot write ${folder}: it is a folder, and a file was expected.`,
    );
    expect(existsSync(folder)).toBe(true);
  });
});

describe('readFileBytes', () => {
  it('gives plain bytes', () => {
    const path = join(folder, 'x');
    writeFileSync(path, 'abc');
    const bytes = readFileBytes(path);
    expect([...bytes]).toEqual([97, 98, 99]);
    expect(Object.getPrototypeOf(bytes).constructor.name).toBe('Uint8Array');
  });

  it('says which file and why', () => {
    const path = join(folder, 'x');
    expect(() => readFileBytes(path)).toThrow(FileError);
    expect(() => readFileBytes(path)).toThrow(`Cannot read ${path}: there is no such file.`);
    expect(() => readFileBytes(folder)).toThrow(
      `Cannot read ${folder}: it is a folder, and a file was expected.`,
    );
    writeFileSync(path, '');
    const inside = join(path, 'y');
    expect(() => readFileBytes(inside)).toThrow(`Cannot read ${inside}: a part of its path is not a folder.`);
  });
});
