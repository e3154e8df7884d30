import { gzipSync } from 'node:zlib';
import path from 'node:path';
import { rolldown } from 'rolldown';
import type { OutputChunk } from 'rolldown';

/**
 * What the engine, its layers and its optimizers may weigh on a page, minified and compressed, everything exported.
 * The aim is 90 kB; with the operations and layers of today it is about 108, and must not grow unnoticed.
 */
export const ceiling = 110_000;

const entry = 'tapegrad:bundle';

/** Bytes that a page loads for core, nn and optim, and bytes that it loads only when it asks for them. */
export async function bundleSize(root: string, packages: string[]): Promise<{ initial: number; lazy: number }> {
  const bundle = await rolldown({
    input: entry,
    cwd: root,
    platform: 'browser',
    logLevel: 'silent',
    resolve: { conditionNames: ['@tapegrad/source', 'import', 'default'] },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? packages.map((name) => reexport(root, name)).join('\n') : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true, sourcemapIgnoreList: false });
  await bundle.close();
  const chunks = output.filter((file): file is OutputChunk => file.type === 'chunk');
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const initial = new Set<OutputChunk>();
  const reach = (chunk: OutputChunk | undefined): void => {
    if (chunk === undefined || initial.has(chunk)) return;
    initial.add(chunk);
    for (const name of chunk.imports) reach(byName.get(name));
  };
  chunks.filter(({ isEntry }) => isEntry).forEach(reach);
  const weigh = (some: OutputChunk[]): number => some.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
  return { initial: weigh([...initial]), lazy: weigh(chunks.filter((chunk) => !initial.has(chunk))) };
}

/** Says that the bundle is over its ceiling; prints its size either way. */
export async function bundleFindings(root: string): Promise<string[]> {
  const { initial, lazy } = await bundleSize(root, ['core', 'nn', 'optim']);
  const said = `core, nn and optim: ${kilobytes(initial)} on load, ${kilobytes(lazy)} on demand (gzip)`;
  console.log(`       ${said}; ceiling ${kilobytes(ceiling)}`);
  return initial > ceiling ? [said] : [];
}

function reexport(root: string, name: string): string {
  const file = path.join(root, 'packages', name, 'src/index.ts');
  return `export * as ${name} from ${JSON.stringify(file)};`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
