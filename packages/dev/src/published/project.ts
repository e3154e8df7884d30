import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageNames } from '../checks/sources.ts';
import { pnpm, run } from '../program.ts';
import { buildPackages } from './build.ts';

/** A folder outside the workspace in which the packed packages are installed as a user would. */
export interface Project {
  folder: string;
  tarballs: string[];
}

/** The names and the subpaths that the published packages offer, such as `@tapegrad/data/node`. */
export function publishedEntries(root: string): string[] {
  return packageNames(root).flatMap((name) => {
    const { private: isPrivate, name: published, publishConfig } = manifest(root, name);
    return isPrivate ? [] : Object.keys(publishConfig.exports).map((key) => published + key.slice(1));
  });
}

/** Builds and packs the packages, installs them with plain npm into an empty project, and removes it after `use`. */
export async function withProject(root: string, use: (project: Project) => Promise<string[]>): Promise<string[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tapegrad-published-'));
  try {
    const built = await buildPackages(root);
    if (built.length > 0) return built;
    const selected = packageNames(root).filter((name) => !manifest(root, name).private).flatMap((name) => ['--filter', `./packages/${name}`]);
    const packed = run([pnpm, '-r', ...selected, 'pack', '--pack-destination', folder]);
    if (packed.length > 0) return packed;
    const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz')).map((name) => path.join(folder, name));
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    const arguments_ = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', ...tarballs];
    const { status, stderr } = spawnSync('npm', arguments_, { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' });
    if (status !== 0) return [`npm install of the tarballs failed: ${stderr}`];
    for (const file of ['smoke.mjs', 'threads.mjs', 'loading.mjs']) cpSync(path.join(root, 'packages/dev', file), path.join(folder, file));
    writeFileSync(path.join(folder, 'main.mjs'), mainProgram(root));
    return await use({ folder, tarballs });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the project with a Node, given as the command that starts it. */
export function runProject({ folder }: Project, [command, ...before]: [string, ...string[]]): string[] {
  const { status, stdout, stderr, error } = spawnSync(command, [...before, 'main.mjs'], { cwd: folder, encoding: 'utf8' });
  if (status === 0 && stdout.trim() === `${expected}\n${expectedOnThreads}\n${expectedLoading}`) return [];
  return `${stdout ?? ''}${stderr ?? ''}${error ?? ''}`.trim().split('\n');
}

/** Imports every entry and does what `smoke.mjs`, `threads.mjs` and `loading.mjs` do. */
function mainProgram(root: string): string {
  const imports = publishedEntries(root).map((entry) => `import '${entry}';`);
  const programs = ["import { smoke } from './smoke.mjs';", "import { threads } from './threads.mjs';", "import { loading } from './loading.mjs';"];
  return [...imports, ...programs, 'console.log(smoke());', 'console.log(await threads());', 'console.log(await loading());'].join('\n');
}

/** What `smoke` in packages/dev/smoke.mjs returns where all is well. */
export const expected = 'gradient [[2,4],[6,8]], learned true';

/** What `threads` in packages/dev/threads.mjs returns where threads share memory. */
export const expectedOnThreads = 'on two threads, the same true';

/** What `loading` in packages/dev/loading.mjs returns in Node. */
const expectedLoading = 'loaded [[[0,1],[0,0]],[[2,3],[1,1]],[[4,5],[0,0]],[[6],[1]]]';

interface Manifest {
  name: string;
  private?: boolean;
  publishConfig: { exports: Record<string, unknown> };
}

function manifest(root: string, name: string): Manifest {
  const file = path.join(root, 'packages', name, 'package.json');
  if (!existsSync(file)) return { name, private: true, publishConfig: { exports: {} } };
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
}
