import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { effects, idleCalls, pageSources, pageWeight } from './page.ts';

/** A program that is weighed, and the most that it may weigh. */
export interface Page {
  name: string;
  /** Its text, given the names that core exports. */
  program: (names: string[]) => string;
  /** Bytes that it loads at once, minified and compressed. */
  ceiling: number;
}

/** Namespaces of core that only the pages which name them pay for; each has a folder of its own in core's sources. */
const apart = ['linalg', 'special', 'masked', 'safe', 'fft'];

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
export const pages: Page[] = [
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
  const names = await coreNames(root);
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

/** The names that core exports, as it was built. */
export async function coreNames(root: string): Promise<string[]> {
  return Object.keys((await import(pathToFileURL(path.join(root, 'packages/core/dist/index.js')).href)) as object);
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
