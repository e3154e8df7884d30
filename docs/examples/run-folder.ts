import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { interop, TapegradError, type Tensor } from 'tapegrad';
import { readFileBytes, writeFileAtomic } from '@tapegrad/interop/node';

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'a file is in its place',
  ENOTDIR: 'a file is in its place',
  ENOENT: 'there can be no such folder',
  EACCES: 'writing there is not permitted',
  EPERM: 'writing there is not permitted',
  EROFS: 'that disk is read-only',
  ENAMETOOLONG: 'its name is too long',
};

/**
 * The folder that a run leaves its files in; it is made if need be. Every file is replaced as a whole or not at all.
 *
 * @throws FileError when there can be no such folder, or nothing can be written there
 */
export class RunFolder {
  /** The path of the weights alone, for use elsewhere. */
  readonly model: string;
  /** The path of what a later run can go on from. */
  readonly checkpoint: string;
  /** The path of the picture. */
  readonly curve: string;

  constructor(path: string) {
    this.model = join(path, 'model.safetensors');
    this.checkpoint = join(path, 'checkpoint.safetensors');
    this.curve = join(path, 'learning-curve.svg');
    try {
      makeFolder(resolve(path));
      accessSync(path, constants.W_OK);
    } catch (error) {
      const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? (error as Error).message;
      throw new interop.FileError(`Cannot use the folder ${path}: ${reason}.`, path, { cause: error });
    }
  }

  saveModel(state: Record<string, Tensor>): void {
    writeFileAtomic(this.model, interop.saveTensors(state));
  }

  saveCheckpoint(checkpoint: interop.Checkpoint): void {
    writeFileAtomic(this.checkpoint, interop.encodeCheckpoint(checkpoint));
  }

  saveCurve(svg: string): void {
    writeFileAtomic(this.curve, new TextEncoder().encode(svg));
  }
}

/** Makes a folder and those above it. (Node's own way to do so does not come back from /proc.) */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  mkdirSync(path);
}

/** A checkpoint cannot be gone on from. The message is one sentence with its path. */
export class ResumeError extends Error {
  override readonly name = 'ResumeError';
}

/**
 * Reads a checkpoint.
 *
 * @throws FileError when the file cannot be read
 * @throws ResumeError when it is truncated, foreign, or no checkpoint
 */
export function readCheckpoint(path: string): interop.Checkpoint {
  const bytes = readFileBytes(path);
  return resuming(path, () => interop.decodeCheckpoint(bytes));
}

/** What a checkpoint that does not fit makes others throw. */
const MISFITS = [interop.FormatError, TapegradError, RangeError];

/** Does a part of resuming; if the checkpoint does not allow it, the error names the file. @throws ResumeError */
export function resuming<T>(path: string | null, part: () => T): T {
  try {
    return part();
  } catch (error) {
    if (!MISFITS.some((kind) => error instanceof kind)) throw error;
    throw new ResumeError(`Cannot resume from ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** The folder in which a file is. */
export function folderOf(path: string): string {
  return dirname(path);
}
