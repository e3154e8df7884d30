import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { packageNames } from '../checks/sources.ts';
import { run, tsc } from '../program.ts';

/** The files of a package that users import: `@tapegrad/data` and `@tapegrad/data/node`. */
const entries = ['index', 'node'];

/**
 * Builds `dist` of every package: declarations by the compiler, and one readable module per entry, so that an engine
 * loads few files and a bundler sees which calls have no effect. Returns what went wrong, line by line.
 */
export async function buildPackages(root: string): Promise<string[]> {
  const errors = run([tsc, '-b', 'packages/dev/tsconfig.build.json']);
  if (errors.length > 0) return errors;
  for (const name of packageNames(root)) await bundlePackage(path.join(root, 'packages', name));
  return [];
}

async function bundlePackage(folder: string): Promise<void> {
  const source = (entry: string): string => path.join(folder, 'src', `${entry}.ts`);
  const present = entries.filter((entry) => existsSync(source(entry)));
  if (present.length === 0) return;
  const dist = path.join(folder, 'dist');
  removeScripts(dist);
  const bundle = await rolldown({
    input: Object.fromEntries(present.map((entry) => [entry, source(entry)])),
    cwd: folder,
    platform: 'neutral',
    // Whatever is not a file of this package is a dependency.
    external: /^[^./]/,
  });
  await bundle.write({
    dir: dist,
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    // The sources are published too: the map points at them, and editors show their comments.
    sourcemap: true,
    sourcemapExcludeSources: true,
    sourcemapIgnoreList: false,
    comments: { annotation: true, jsdoc: false, legal: true },
  });
  await bundle.close();
}

/** Removes the scripts of an older build, whose names may have been others. */
function removeScripts(dist: string): void {
  const scripts = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => /\.js(\.map)?$/.test(name));
  for (const name of scripts) rmSync(path.join(dist, name));
}
