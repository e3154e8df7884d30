import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** Whether the browser that comes as a package runs here. */
export const hasChromium: boolean = process.platform === 'linux' && process.arch === 'x64';

/** Starts a headless Chromium, unpacked once into node_modules/.cache. */
export async function startChromium(root: string): Promise<Browser> {
  const folder = unpack(path.join(root, 'node_modules/.cache'));
  return chromium.launch({
    executablePath: path.join(folder, 'chromium'),
    args: ['--headless=new', '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    env: { ...process.env, LD_LIBRARY_PATH: path.join(folder, 'lib') } as Record<string, string>,
  });
}

function unpack(cache: string): string {
  const require = createRequire(import.meta.url);
  const bin = path.join(path.dirname(require.resolve('@sparticuz/chromium')), '../../bin');
  const { version } = JSON.parse(readFileSync(path.join(bin, '../package.json'), 'utf8')) as { version: string };
  const folder = path.join(cache, `chromium-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(path.join(cache, 'chromium-'));
  const read = (file: string): Buffer => brotliDecompressSync(readFileSync(path.join(bin, file)));
  for (const part of ['swiftshader', 'al2023', 'fonts']) {
    execFileSync('tar', ['xf', '-', '-C', draft], { input: read(`${part}.tar.br`) });
  }
  writeFileSync(path.join(draft, 'chromium'), read('chromium.br'), { mode: 0o755 });
  try {
    renameSync(draft, folder);
  } catch (error) {
    // Another process was faster: its folder is as good.
    if (!existsSync(folder)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}
