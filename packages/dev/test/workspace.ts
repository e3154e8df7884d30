import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Writes the given files into a fresh folder, hands it to `use`, and removes it. */
export async function withFiles<T>(
  files: Record<string, string>,
  use: (root: string) => T | Promise<T>,
): Promise<T> {
  const root = mkdtempSync(path.join(tmpdir(), 'tapegrad-'));
  try {
    mkdirSync(path.join(root, 'packages'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text);
    }
    return await use(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
