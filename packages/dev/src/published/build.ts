import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { packageNames } from '../checks/sources.ts';
import { run, tsc } from '../program.ts';

/** The files of a package that users import, such as `@tapegrad/data/node`, and the program of threads. */
const entries = ['index', 'node', 'node/worker'];

/**
 * Packages whose namespaces are modules of their own. Core's would make the first gradient 3 to 5 ms later, and few
 * pages name them.
 */
const divided = ['nn', 'optim'];

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
  const namespaces = divided.includes(path.basename(folder)) ? namespacesOf(source('index')) : {};
  const bundle = await rolldown({
    input: { ...Object.fromEntries(present.map((entry) => [path.basename(entry), source(entry)])), ...namespaces },
    cwd: folder,
    platform: 'neutral',
    // Whatever is not a file of this package is a dependency.
    external: /^[^./]/,
    plugins: [apart(source('index'), namespaces), inAscii],
  });
  await bundle.write({
    dir: dist,
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    // What an entry shares with namespaces is one module more.
    ...(Object.keys(namespaces).length > 0 && { codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] } }),
    // The sources are published too: the map points at them, and editors show their comments.
    sourcemap: true,
    sourcemapExcludeSources: true,
    sourcemapIgnoreList: false,
    comments: { annotation: true, jsdoc: false, legal: true },
  });
  await bundle.close();
}

/** The sources that an entry exports as namespaces, by their names. */
function namespacesOf(entry: string): Record<string, string> {
  const found = readFileSync(entry, 'utf8').matchAll(/^export \* as (\w+) from '(\.\/[^']+)';$/gm);
  return Object.fromEntries([...found].map(([, name, file]) => [name!, path.join(path.dirname(entry), file!)]));
}

/**
 * Lets an entry load its namespaces as modules. Joined into the entry, a namespace becomes an object, of which a
 * bundler keeps every name as soon as a page uses one.
 */
function apart(entry: string, namespaces: Readonly<Record<string, string>>): Plugin {
  const nameOf = new Map(Object.entries(namespaces).map(([name, file]) => [file, name]));
  return {
    name: 'namespaces apart',
    resolveId(source, importer) {
      if (importer !== entry) return undefined;
      const name = nameOf.get(path.join(path.dirname(entry), source));
      return name === undefined ? undefined : { id: `./${name}.js`, external: true };
    },
  };
}

/**
 * Writes what is not ASCII, some characters in messages, as escapes. An engine reads a script in two bytes per character as
 * soon as one of them needs it, which makes the first gradient a millisecond later.
 */
const inAscii: Plugin = {
  name: 'in ASCII',
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\x7f]/g, escaped);
  },
};

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Removes the scripts of an older build, whose names may have been others. */
function removeScripts(dist: string): void {
  const scripts = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => /\.js(\.map)?$/.test(name));
  for (const name of scripts) rmSync(path.join(dist, name));
}
