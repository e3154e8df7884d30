import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { effects, idleCalls, pageSources, pageWeight } from './page.ts';
import { classifier, languageModel, oneLayer } from './programs.ts';

/** A program that is weighed. */
export interface Page {
  name: string;
  /** Its text, given the names that core exports. */
  program: (names: string[]) => string;
  /** Bytes that it may load at once, minified and compressed; without it the page is only weighed. */
  ceiling?: number;
}

/** Namespaces of core that only the pages which name them pay for; each has a folder of its own in core's sources. */
const apart = ['linalg', 'special', 'masked', 'safe', 'fft'];
/** Sources of core that the training page has no use for, beside those folders. */
const unused = ['compositions/', 'func.', 'jacobian', 'vmap.', 'checkpoint.', 'profile.', 'profiler.', 'autodiff/gradcheck.'];

/**
 * The published packages on a page, bundled, minified and compressed with gzip; the kernels are in it, and what is
 * loaded on demand (the reference backend) is not. The surface is everything of core that is not in a namespace of
 * its own, with all methods, and all layers, losses and optimizers.
 *
 * 90 kB was the aim for a surface of a few dozen operations and their layers. The surface is now 480 functions (310 of
 * them methods too), 150 layers and losses, 15 optimizers and 18 schedules; a page pays for the engine, the kernels and the
 * methods, and beyond them for what it calls. So the ceilings are what is there and 2 %: they are to notice what comes in
 * by accident. What comes in on purpose raises them, in the commit that brings it.
 */
export const pages: Page[] = [
  { name: 'the whole surface', program: surface, ceiling: 203_000 },
  { name: 'a page that trains a layer', program: () => oneLayer, ceiling: 113_000 },
  { name: 'a page with a classifier of images and Adam', program: () => classifier },
  { name: 'a page with a GPT and AdamW', program: () => languageModel },
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
 * Says which page is over its ceiling, what the training page runs for nothing, and what it holds of sources that
 * it does not use; prints the weights either way. The packages have to be built.
 */
export async function bundleFindings(root: string): Promise<string[]> {
  const names = await coreNames(root);
  const findings: string[] = [];
  for (const { name, program, ceiling } of pages) {
    const { initial, lazy } = await pageWeight(root, program(names));
    const limit = ceiling === undefined ? '' : `; ceiling ${kilobytes(ceiling)}`;
    const said = `${name}: ${kilobytes(initial)} at once, ${kilobytes(lazy)} on demand (gzip)${limit}`;
    console.log(`       ${said}`);
    if (initial > (ceiling ?? Infinity)) findings.push(said);
  }
  const { initial } = await pageWeight(root, oneLayer);
  for (const name of apart.filter((each) => names.includes(each))) {
    const named = await pageWeight(root, `${oneLayer}\nexport { ${name} } from '@tapegrad/core';`);
    console.log(`       ${name}: ${kilobytes(named.initial - initial)} more where it is named`);
  }
  const foreign = [...apart.map((name) => `${name}/`), ...unused].map((name) => `core/src/${name}`);
  const strays = (await pageSources(root, oneLayer)).filter((file) => foreign.some((name) => file.includes(name)));
  findings.push(...strays.map((file) => `the training page holds code of ${file}, which it does not use`));
  const entry = readFileSync(path.join(root, 'packages/core/src/index.ts'), 'utf8');
  const wanted = effects(entry).map((call) => call.slice(0, call.indexOf('(')));
  const idle = await idleCalls(root, oneLayer, wanted);
  return [...findings, ...idle.map((call) => `the training page runs ${call.slice(0, 60)} … for nothing`)];
}

/** The names that core exports, as it was built. */
export async function coreNames(root: string): Promise<string[]> {
  return Object.keys((await import(pathToFileURL(path.join(root, 'packages/core/dist/index.js')).href)) as object);
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
