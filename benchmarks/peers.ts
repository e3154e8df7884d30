import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rolldown } from 'rolldown';
import { here } from './here.ts';

/**
 * Installs the peers, once. They are no part of the workspace, so that nobody has to wait for them who does
 * not compare.
 * @throws Error when npm cannot
 */
export function installPeers(): void {
  if (existsSync(here('peers/node_modules/.package-lock.json'))) return;
  console.error('installing the libraries to compare with (once) …');
  const { status } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: here('peers'),
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    },
  );
  if (status !== 0)
    throw new Error('the libraries to compare with could not be installed; what npm said is above');
}

/** What CommonJS code finds around itself. */
const surroundings = `import { createRequire as __createRequire } from 'node:module';
import { dirname as __dirnameOf } from 'node:path';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __dirnameOf(__filename);`;

/**
 * Bundles the adapters of TensorFlow.js: the files that its packages give to Node lack the gradients, and
 * those that have them are for bundlers only.
 */
export async function bundlePeers(): Promise<void> {
  for (const name of ['cpu', 'wasm', 'start-cpu', 'start-wasm']) {
    const bundle = await rolldown({
      input: here(`peers/tfjs/${name}.mjs`),
      platform: 'node',
      logLevel: 'silent',
      resolve: { mainFields: ['module', 'main'] },
    });
    const file = here(`peers/node_modules/.bundles/${name}.mjs`);
    await bundle.write({ file, format: 'esm', banner: surroundings, codeSplitting: false });
    await bundle.close();
  }
}
