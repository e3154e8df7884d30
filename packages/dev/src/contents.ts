// npm run contents [-- NUMBER]: what the pages of the size check are made of, by folder and by source (the heaviest NUMBER).
import path from 'node:path';
import { coreNames, pages } from './checks/bundle.ts';
import { pageShares, type Share } from './checks/page.ts';
import { buildPackages } from './published/build.ts';
import { root } from './root.ts';

const most = Number(process.argv[2] ?? 25);
const errors = await buildPackages(root);
if (errors.length > 0) throw new Error(errors.join('\n'));

for (const { name, program } of pages) {
  const shares = await pageShares(root, program(await coreNames(root)));
  console.log(`\n${name}: characters minified, bytes that the compressed page would be lighter by\n`);
  console.log([...byFolder(shares), { source: '', characters: 0, bytes: 0 }, ...shares.slice(0, most)].map(line).join('\n'));
}

function byFolder(shares: Share[]): Share[] {
  const folders = new Map<string, Share>();
  for (const { source, characters, bytes } of shares) {
    const folder = `${path.dirname(source)}/`;
    const sum = folders.get(folder) ?? { source: folder, characters: 0, bytes: 0 };
    folders.set(folder, { source: folder, characters: sum.characters + characters, bytes: sum.bytes + bytes });
  }
  return [...folders.values()].sort((a, b) => b.bytes - a.bytes);
}

function line({ source, characters, bytes }: Share): string {
  if (characters === 0) return '';
  return `${String(characters).padStart(8)} ${String(bytes).padStart(6)}  ${source.replace('../packages/', '') || '(the bundler)'}`;
}
