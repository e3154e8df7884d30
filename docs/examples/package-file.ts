import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { data } from 'tapegrad';

/**
 * A file out of an npm package that these examples depend on.
 *
 * @param path the package's name and the file's path in it
 * @throws DataError when it is not installed
 */
export function packageFile(path: string): Buffer {
  const place = fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url));
  if (!existsSync(place)) throw new data.DataError(`${path} was not found; npm install brings it.`);
  return readFileSync(place);
}
