import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { startChromium } from './chromium.ts';
import { expected, expectedOnThreads } from './project.ts';
import type { Project } from './project.ts';

const html = `<!doctype html><meta charset="utf-8"><title>tapegrad</title>
<script type="module" src="/page.js"></script>`;

const program = `import { smoke } from './smoke.mjs';
import { threads } from './threads.mjs';
console.log(smoke() + '; ' + (await threads()));`;

/** WebAssembly may be compiled; eval and new Function may not run. */
const strict = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'";
const isolated = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

interface Served {
  headers: Record<string, string>;
  /** What the page says of threads. */
  said: RegExp;
  /** Whether the browser reports something of its own accord: here that it refused a worker. */
  isReported?: true;
}

/** Pages by their addresses. */
const pages: Record<string, Served> = {
  '/': { headers: { 'content-security-policy': strict }, said: /^1 thread, .*not cross-origin isolated.*; the same true$/ },
  '/threads': {
    headers: { 'content-security-policy': `${strict}; worker-src blob:`, ...isolated },
    said: new RegExp(`^${expectedOnThreads}$`),
  },
  '/no-workers': {
    headers: { 'content-security-policy': strict, ...isolated },
    said: /^1 thread, .*worker.*; the same true$/,
    isReported: true,
  },
};

/** Bundles the installed packages and runs `smoke` and `threads` in pages; returns what went wrong. */
export async function runInPages(root: string, { folder }: Project): Promise<string[]> {
  const files = await bundle(folder);
  const server = createServer((request, response) => {
    const page = pages[request.url!];
    const body = page === undefined ? files.get(request.url!.slice(1)) : html;
    response.writeHead(body === undefined ? 404 : 200, {
      'content-type': page === undefined ? 'text/javascript' : 'text/html',
      ...(page?.headers ?? { 'cross-origin-resource-policy': 'same-origin' }),
    });
    response.end(body ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await startChromium(root);
  try {
    const wrong: string[] = [];
    for (const [address, { said, isReported = false }] of Object.entries(pages)) {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${address}`;
      const heard = await listen(await browser.newPage(), url, isReported);
      const [first, ...rest] = heard.split('; ');
      if (first === expected && said.test(rest.join('; '))) continue;
      wrong.push(`in the page ${address}: ${heard}; expected: ${expected}; ${String(said)}`);
    }
    return wrong;
  } finally {
    await browser.close();
    server.close();
  }
}

/** What a page prints, or the error that stopped it. */
async function listen(tab: Page, url: string, isReported: boolean): Promise<string> {
  const said = new Promise<string>((resolve) => {
    tab.on('pageerror', (error) => resolve(error.stack ?? error.message));
    tab.on('console', (message) => {
      if (isReported && message.type() !== 'log') return;
      if (!message.location().url.endsWith('/favicon.ico')) resolve(message.text());
    });
    setTimeout(() => resolve('nothing within 60 seconds'), 60_000).unref();
  });
  await tab.goto(url);
  return said;
}

/** The page's program and the packages that it imports as browser modules. */
async function bundle(folder: string): Promise<Map<string, string>> {
  const entry = path.join(folder, 'page.js');
  const built = await rolldown({
    input: entry,
    cwd: folder,
    platform: 'browser',
    logLevel: 'silent',
    plugins: [{ name: 'page', load: (id) => (id === entry ? program : undefined), resolveId: (id) => (id === entry ? id : undefined) }],
  });
  const { output } = await built.generate({ format: 'esm', sourcemapIgnoreList: false });
  await built.close();
  return new Map(output.map((file) => [file.fileName, file.type === 'chunk' ? file.code : String(readFileSync(file.fileName))]));
}
