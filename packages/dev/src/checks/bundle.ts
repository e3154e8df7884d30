import { existsSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import type { OutputChunk } from 'rolldown';
import ts from 'typescript';

/** A program that is weighed, and the most that it may weigh. */
interface Page {
  name: string;
  /** Its text, given the names that core exports. */
  program: (names: string[]) => string;
  /** Bytes that it loads at once, minified and compressed. */
  ceiling: number;
}

/** Namespaces of core that only the pages which name them pay for; each has a folder of its own in core's sources. */
const apart = ['linalg', 'special', 'masked', 'fft'];

const training = `import * as tg from 'tapegrad';
export function train() {
  const layer = new tg.nn.Linear(2, 1);
  const optimizer = new tg.optim.SGD(layer.parameters(), { lr: 0.1 });
  layer(tg.tensor([[1, 2]])).sum().backward();
  optimizer.step();
}`;

/**
 * The published packages on a page, bundled, minified and compressed with gzip; the kernels are in it, and what is
 * loaded on demand (the reference backend) is not. The surface is everything of core that is not in a namespace of
 * its own, with all methods, and all layers, losses and optimizers. The aim for it is 90 kB.
 */
const pages: Page[] = [
  { name: 'the whole surface', program: surface, ceiling: 110_000 },
  { name: 'a page that trains a layer', program: () => training, ceiling: 90_000 },
];

function surface(names: string[]): string {
  const everyday = names.filter((name) => !apart.includes(name));
  return [
    `export { ${everyday.join(', ')} } from '@tapegrad/core';`,
    "export * as nn from '@tapegrad/nn';",
    "export * as optim from '@tapegrad/optim';",
  ].join('\n');
}

/**
 * Says which page is over its ceiling, what the training page runs for nothing, and what it holds of namespaces
 * that it does not name; prints the weights either way. The packages have to be built.
 */
export async function bundleFindings(root: string): Promise<string[]> {
  const names = Object.keys((await import(pathToFileURL(path.join(root, 'packages/core/dist/index.js')).href)) as object);
  const findings: string[] = [];
  for (const { name, program, ceiling } of pages) {
    const { initial, lazy } = await pageWeight(root, program(names));
    const said = `${name}: ${kilobytes(initial)} at once, ${kilobytes(lazy)} on demand (gzip); ceiling ${kilobytes(ceiling)}`;
    console.log(`       ${said}`);
    if (initial > ceiling) findings.push(said);
  }
  const { initial } = await pageWeight(root, training);
  for (const name of apart.filter((each) => names.includes(each))) {
    const named = await pageWeight(root, `${training}\nexport { ${name} } from '@tapegrad/core';`);
    console.log(`       ${name}: ${kilobytes(named.initial - initial)} more where it is named`);
  }
  const strays = (await pageSources(root, training)).filter((file) => apart.some((name) => file.includes(`core/src/${name}/`)));
  findings.push(...strays.map((file) => `the training page holds code of ${file}, whose namespace it does not name`));
  const entry = readFileSync(path.join(root, 'packages/core/src/index.ts'), 'utf8');
  const wanted = effects(entry).map((call) => call.slice(0, call.indexOf('(')));
  const idle = await idleCalls(root, training, wanted);
  return [...findings, ...idle.map((call) => `the training page runs ${call.slice(0, 60)} … for nothing`)];
}

/** Bytes that a page loads at once, and bytes that it loads only when it asks for them. */
export async function pageWeight(root: string, program: string): Promise<{ initial: number; lazy: number }> {
  const chunks = await bundle(root, program, true);
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

/** The sources of which a bundled page holds a line. */
export async function pageSources(root: string, program: string): Promise<string[]> {
  const [page] = (await bundle(root, program, 'dce-only')).filter(({ isEntry }) => isEntry);
  const map = new SourceMap(page!.map as unknown as SourceMapPayload);
  const found = page!.code.split('\n').map((text, line) => map.findEntry(line, text.search(/\S/)));
  return [...new Set(found.flatMap((entry) => ('originalSource' in entry ? [entry.originalSource] : [])))];
}

/**
 * What a bundled page runs at its top beside what it must: calls whose results nobody reads, which a bundler keeps where
 * it cannot know that they have no other effect. The function that is called wants `@__NO_SIDE_EFFECTS__`.
 * @param wanted functions that are called for their effect
 */
export async function idleCalls(root: string, program: string, wanted: readonly string[]): Promise<string[]> {
  const [page] = (await bundle(root, program, 'dce-only')).filter(({ isEntry }) => isEntry);
  return effects(page!.code).filter((call) => !wanted.some((name) => call.startsWith(`${name}(`)));
}

/** The statements at the top of a module that declare nothing. */
function effects(code: string): string[] {
  const tree = ts.createSourceFile('module.ts', code, ts.ScriptTarget.ESNext, false);
  return tree.statements.filter(ts.isExpressionStatement).map((statement) => code.slice(statement.getStart(tree), statement.end));
}

/** A page's program with the packages as they are published. */
async function bundle(root: string, program: string, minify: boolean | 'dce-only'): Promise<OutputChunk[]> {
  const entry = path.join(root, 'packages/dev/page.js');
  const built = await rolldown({
    input: entry,
    cwd: root,
    platform: 'browser',
    logLevel: 'silent',
    // What is loaded on demand may import from the page's own file, so that what both need is in no third one.
    preserveEntrySignatures: 'allow-extension',
    plugins: [{ name: 'page', resolveId: (id) => (id === entry ? id : undefined), load: (id) => (id === entry ? program : withMap(id)) }],
  });
  const { output } = await built.generate({ format: 'esm', minify, sourcemap: 'hidden', sourcemapIgnoreList: false });
  await built.close();
  return output.filter((file): file is OutputChunk => file.type === 'chunk');
}

/** A published module with its map, so that the page's map leads to the sources. */
function withMap(id: string): { code: string; map: string } | undefined {
  return existsSync(`${id}.map`) ? { code: readFileSync(id, 'utf8'), map: readFileSync(`${id}.map`, 'utf8') } : undefined;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
