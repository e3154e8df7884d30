import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { interop, TapegradError, type Tensor } from 'tapegrad';
import { readFileBytes, writeFileAtomic } from '@tapegrad/interop/node';

const MODEL = 'model.safetensors';
const CHECKPOINT = 'checkpoint.safetensors';
const CURVE = 'learning-curve.svg';

/**
 * The folder that a run leaves its files in; it is made if need be. Every file is replaced as a whole or not at all.
 *
 * @throws FileError when there can be no such folder
 */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    try {
      mkdirSync(path, { recursive: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const reason = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in its place' : (error as Error).message;
      throw new interop.FileError(`Cannot make the folder ${path}: ${reason}.`, path, { cause: error });
    }
  }

  /** Writes the weights alone, for use elsewhere; returns the path. */
  saveModel(state: Record<string, Tensor>, metadata: Record<string, string>): string {
    return this.#write(MODEL, interop.saveTensors(state, metadata));
  }

  /** Writes what a later run can go on from; returns the path. */
  saveCheckpoint(checkpoint: interop.Checkpoint): string {
    return this.#write(CHECKPOINT, interop.encodeCheckpoint(checkpoint));
  }

  /** Writes a picture; returns the path. */
  saveCurve(svg: string): string {
    return this.#write(CURVE, new TextEncoder().encode(svg));
  }

  #write(name: string, bytes: Uint8Array): string {
    const path = join(this.path, name);
    writeFileAtomic(path, bytes);
    return path;
  }
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
