// npm run docs: the API reference, from the docstrings, into docs/api.
import path from 'node:path';
import { run } from './program.ts';
import { root } from './root.ts';

const said = run(['node_modules/typedoc/bin/typedoc', '--logLevel', 'Error'], path.join(root, 'docs'));
console.log(said.length === 0 ? 'the API reference is in docs/api/index.html' : said.join('\n'));
process.exitCode = said.length === 0 ? 0 : 1;
