import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { DataError } from '../errors.ts';

/** Nothing that this library reads is larger once unpacked; a hostile archive stops here. */
const MAX_UNPACKED = 2 ** 30;

/** The bytes of a file, unpacked if it is compressed with gzip. @throws DataError when it cannot be read or unpacked */
export function readFileUnpacked(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new DataError(`${path} cannot be read (${(error as Error).message}).`, { cause: error });
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED });
    } catch (error) {
      throw new DataError(`${path} cannot be unpacked (${(error as Error).message}).`, { cause: error });
    }
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
