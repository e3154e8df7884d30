import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { here } from './here.ts';
import type { Library } from './libraries.ts';
import { markdown } from './table.ts';

/** What a library weighs, in bytes. */
export interface SizeOutcome {
  readonly library: string;
  /** On disk after its installation, with all it depends on. */
  readonly installed: number;
  readonly packages: number;
  /** The smallest program with a gradient, minified and compressed, with what it loads beside. */
  readonly page: number;
}

/** Weighs the libraries that come from npm. */
export async function measureSize(libraries: readonly Library[]): Promise<SizeOutcome[]> {
  const outcomes: SizeOutcome[] = [];
  for (const { name, packages, page } of libraries) {
    if (packages === undefined || page === undefined) continue;
    const folder = path.dirname(here(page.entry));
    const closure = new Set<string>();
    for (const wanted of packages) addPackage(find(wanted, folder), closure);
    const installed = [...closure].reduce((sum, entry) => sum + packageBytes(entry), 0);
    outcomes.push({ library: name, installed, packages: closure.size, page: await pageBytes(page) });
  }
  return outcomes;
}

/** The folder of a package as Node finds it. */
function find(name: string, from: string): string {
  const place = path.join(from, 'node_modules', name);
  if (existsSync(place)) return realpathSync(place);
  const parent = path.dirname(from);
  if (parent === from) throw new Error(`the package ${name} is not installed`);
  return find(name, parent);
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
}

function addPackage(folder: string, closure: Set<string>): void {
  if (closure.has(folder)) return;
  closure.add(folder);
  for (const name of Object.keys(manifestOf(folder).dependencies ?? {}))
    addPackage(find(name, folder), closure);
}

/** Of a package in the workspace only what it publishes. */
function packageBytes(folder: string): number {
  if (folder.includes(`${path.sep}node_modules${path.sep}`)) return bytesIn(folder);
  const files = (manifestOf(folder).files ?? []).filter((name) => !name.startsWith('!'));
  return [...files, 'package.json', 'README.md'].reduce(
    (sum, name) => sum + bytesIn(path.join(folder, name)),
    0,
  );
}

function bytesIn(place: string): number {
  if (!existsSync(place)) return 0;
  const stats = statSync(place);
  if (!stats.isDirectory()) return path.basename(place) === '.tsbuildinfo' ? 0 : stats.size;
  const names = readdirSync(place).filter((name) => name !== 'node_modules');
  return names.reduce((sum, name) => sum + bytesIn(path.join(place, name)), 0);
}

async function pageBytes({ entry, assets = [] }: NonNullable<Library['page']>): Promise<number> {
  const bundle = await rolldown({ input: here(entry), platform: 'browser', logLevel: 'silent' });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  // What is loaded on demand, such as another backend, is not part of the page.
  const start = output.find((file) => file.type === 'chunk' && file.isEntry);
  const loaded = new Set<string>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    loaded.add(name);
    const file = output.find(({ fileName }) => fileName === name);
    if (file?.type === 'chunk') file.imports.forEach(load);
  };
  load(start!.fileName);
  const code = output.map((file) =>
    file.type === 'chunk' && loaded.has(file.fileName) ? gzipSync(file.code).length : 0,
  );
  return [...code, ...assets.map((file) => gzipSync(readFileSync(here(file))).length)].reduce(
    (a, b) => a + b,
    0,
  );
}

/** Megabytes on disk, kilobytes on a page. */
export function sizeTable(outcomes: readonly SizeOutcome[]): string {
  const rows = outcomes.map(({ library, installed, packages, page }) => [
    library,
    `${(installed / 1e6).toFixed(1)} MB`,
    String(packages),
    `${(page / 1e3).toFixed(0)} kB`,
  ]);
  return markdown(['size', 'installed', 'packages', 'smallest page (gzip)'], rows);
}
