import { fileURLToPath } from 'node:url';

/** A file of this folder. */
export function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
