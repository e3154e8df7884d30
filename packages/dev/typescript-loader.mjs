// Module hooks that let Node run the workspace's TypeScript as it stands: packages resolve to their sources, and what
// TypeScript adds is taken out by the same compiler that jest uses. Results are cached by content. With TAPEGRAD_BUILT=1
// packages resolve to what was built of them, as for whoever installs them.
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const cache = fileURLToPath(new URL('../../node_modules/.cache/typescript/', import.meta.url));
const { version } = require('typescript/package.json');

const conditions = process.env.TAPEGRAD_BUILT === '1' ? [] : ['@tapegrad/source'];

export function resolve(specifier, context, next) {
  return next(specifier, { ...context, conditions: [...conditions, ...context.conditions] });
}

export function load(url, context, next) {
  const [address] = url.split(/[?#]/);
  if (!address.startsWith('file:') || !address.endsWith('.ts')) return next(url, context);
  return { format: 'module', source: transpile(fileURLToPath(address)), shortCircuit: true };
}

function transpile(file) {
  const source = readFileSync(file, 'utf8');
  const key = createHash('sha256').update(version).update(file).update('\0').update(source).digest('hex');
  const cached = path.join(cache, `${key}.js`);
  try {
    return readFileSync(cached, 'utf8');
  } catch {
    const code = compile(file, source);
    mkdirSync(cache, { recursive: true });
    // Another process or thread may be writing the same file: a rename is atomic.
    const temporary = `${cached}.${randomUUID()}`;
    writeFileSync(temporary, code);
    renameSync(temporary, cached);
    return code;
  }
}

function compile(file, source) {
  const ts = require('typescript');
  return ts.transpileModule(source, {
    fileName: file,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
      inlineSources: true,
    },
  }).outputText;
}
