import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { startChromium } from './chromium.ts';
import { expected } from './project.ts';
import type { Project } from './project.ts';

const html = `<!doctype html><meta charset="utf-8"><title>tapegrad</title>
<script type="module" src="/page.js"></script>`;

const page = `import { smoke } from './smoke.mjs';
console.log(smoke());`;

/** Bundles the installed packages and runs `smoke` in a page that forbids code from strings; returns what went wrong. */
export async function runInPage(root: string, { folder }: Project): Promise<string[]> {
  const files = await bundle(folder);
  const server = createServer((request, response) => {
    const name = request.url!.slice(1);
    const body = name === '' ? html : files.get(name);
    response.writeHead(body === undefined ? 404 : 200, {
      'content-type': name === '' ? 'text/html' : 'text/javascript',
      // WebAssembly may be compiled; eval and new Function may not run.
      'content-security-policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
    });
    response.end(body ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await startChromium(root);
  try {
    const tab = await browser.newPage();
    const said = new Promise<string>((resolve) => {
      tab.on('pageerror', (error) => resolve(error.stack ?? error.message));
      tab.on('console', (message) => {
        if (!message.location().url.endsWith('/favicon.ico')) resolve(message.text());
      });
      setTimeout(() => resolve('nothing within 30 seconds'), 30_000).unref();
    });
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const result = await said;
    return result === expected ? [] : [`in a page: ${result}; expected: ${expected}`];
  } finally {
    await browser.close();
    server.close();
  }
}

/** The page's program and the packages that it imports as browser modules. */
async function bundle(folder: string): Promise<Map<string, string>> {
  const entry = path.join(folder, 'page.js');
  const built = await rolldown({
    input: entry,
    cwd: folder,
    platform: 'browser',
    logLevel: 'silent',
    plugins: [{ name: 'page', load: (id) => (id === entry ? page : undefined), resolveId: (id) => (id === entry ? id : undefined) }],
  });
  const { output } = await built.generate({ format: 'esm', sourcemapIgnoreList: false });
  await built.close();
  return new Map(output.map((file) => [file.fileName, file.type === 'chunk' ? file.code : String(readFileSync(file.fileName))]));
}
