import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, fstatSync, fsyncSync, openSync, readFileSync, readSync, realpathSync } from 'node:fs';
import { renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FileError } from './errors.ts';
import type { ByteSource } from './tensor-reader.ts';

const READ_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'it is a folder, and a file was expected',
  EACCES: 'reading it is not permitted',
  EPERM: 'reading it is not permitted',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than can be read at once',
};

const WRITE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'it is a folder, and a file was expected',
  EACCES: 'writing there is not permitted',
  EPERM: 'writing there is not permitted',
  EROFS: 'that disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENAMETOOLONG: 'its name is too long',
};

/** Bytes per write; one call cannot take more than 2 GiB. */
const PORTION = 2 ** 30;

/**
 * Reads a whole file.
 *
 * @param path where it is
 * @throws FileError when it is missing, a folder, or not readable
 */
export function readFileBytes(path: string): Uint8Array {
  try {
    const buffer = readFileSync(path);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (error) {
    throw fileError('read', path, error, READ_REASONS);
  }
}

/**
 * A file whose bytes are read in pieces, for `openTensors`. Close it when all is read.
 *
 * @param path where it is
 * @throws FileError when it is missing, a folder, or not readable
 */
export function fileSource(path: string): ByteSource & { close(): void } {
  const attempt = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw fileError('read', path, error, READ_REASONS);
    }
  };
  const file = attempt(() => openSync(path, 'r'));
  const info = attempt(() => fstatSync(file));
  return {
    size: info.size,
    read: (start, end) => {
      const bytes = new Uint8Array(end - start);
      let done = 0;
      for (let count = -1; count !== 0 && done < bytes.length; done += count) {
        count = attempt(() => readSync(file, bytes, done, Math.min(bytes.length - done, PORTION), start + done));
      }
      return bytes.subarray(0, done);
    },
    close: () => closeSync(file),
  };
}

/**
 * Writes a file so that at every moment, whatever happens, either the old contents or the new are at
 * `path`, whole. The bytes go to a temporary file in the same folder, are forced to disk, and the file is
 * renamed. The mode of an existing file is kept, and a symbolic link stays one.
 *
 * @param path where the file shall be; its folder must exist
 * @param bytes the new contents
 * @throws FileError when it cannot be written; then nothing has changed and no temporary file is left
 */
export function writeFileAtomic(path: string, bytes: Uint8Array): void {
  let temporary: string | null = null;
  try {
    const { target, mode } = destination(path);
    temporary = join(dirname(target), `.${basename(target).slice(0, 100)}.${randomUUID()}.tmp`);
    const file = openSync(temporary, 'wx', mode ?? 0o666);
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(file, bytes, done, Math.min(bytes.length - done, PORTION));
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // Once more, because the process's mask may have taken bits away at opening.
    if (mode !== null) chmodSync(temporary, mode);
    renameSync(temporary, target);
    temporary = null;
    syncFolder(dirname(target));
  } catch (error) {
    throw fileError('write', path, error, WRITE_REASONS);
  } finally {
    if (temporary !== null) rmSync(temporary, { force: true });
  }
}

/** Where the bytes really go, and the mode of what is there now. */
function destination(path: string): { target: string; mode: number | null } {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) return { target: resolve(path), mode: null };
  if (info.isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
  return { target: realpathSync(path), mode: info.mode & 0o7777 };
}

/** Makes the renaming itself durable, where the system lets folders be synchronised (Windows does not). */
function syncFolder(path: string): void {
  try {
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // The new file is in place already; only its survival of a power cut in the next seconds is less certain.
  }
}

function fileError(
  verb: string,
  path: string,
  error: unknown,
  reasons: Readonly<Record<string, string>>,
): FileError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reason = Object.hasOwn(reasons, code) ? reasons[code] : (error as Error).message;
  return new FileError(`Cannot ${verb} ${path}: ${reason}.`, path, { cause: error });
}
