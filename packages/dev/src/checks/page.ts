import { existsSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import type { OutputChunk } from 'rolldown';
import ts from 'typescript';

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
  return [...new Set(page!.code.split('\n').map((text, line) => sourceAt(map, line, text.search(/\S/))))];
}

/** The source of a place in a page; '' for what the bundler adds. */
function sourceAt(map: SourceMap, line: number, column: number): string {
  const entry = map.findEntry(line, column);
  return ('originalSource' in entry && (entry.originalSource as string | undefined)) || '';
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

/** The statements at the top of a module that declare nothing, arithmetic left out. */
export function effects(code: string): string[] {
  const tree = ts.createSourceFile('module.ts', code, ts.ScriptTarget.ESNext, false);
  return tree.statements
    .filter(ts.isExpressionStatement)
    .filter(({ expression }) => !(ts.isBinaryExpression(expression) && /^[-+*/]$/.test(expression.operatorToken.getText(tree))))
    .map((statement) => code.slice(statement.getStart(tree), statement.end));
}

/** What a source contributes to a page. */
export interface Share {
  /** Its path; '' for what the bundler adds. */
  source: string;
  /** Its characters in the minified page. */
  characters: number;
  /** Bytes by which the compressed page would be lighter without them. */
  bytes: number;
}

/** What a page that is loaded at once is made of, its list of exports left out; the heaviest sources first. */
export async function pageShares(root: string, program: string): Promise<Share[]> {
  const [page] = (await bundle(root, program, true)).filter(({ isEntry }) => isEntry);
  const map = new SourceMap(page!.map as unknown as SourceMapPayload);
  const code = page!.code.slice(0, page!.code.lastIndexOf('export{'));
  const all = code.split('\n').flatMap((text, line) => {
    return text.split('').map((character, column) => ({ character, source: sourceAt(map, line, column) }));
  });
  const whole = gzipSync(code).length;
  const shares = [...new Set(all.map(({ source }) => source))].map((source) => {
    const rest = all.filter((each) => each.source !== source);
    const text = rest.map(({ character }) => character).join('');
    return { source, characters: all.length - rest.length, bytes: whole - gzipSync(text).length };
  });
  return shares.sort((a, b) => b.bytes - a.bytes);
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
