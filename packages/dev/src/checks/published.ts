import { readFileSync } from 'node:fs';
import path from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { hasChromium } from '../published/chromium.ts';
import { runInPages } from '../published/page.ts';
import { runProject, withProject } from '../published/project.ts';
import { traceFindings } from '../published/trace.ts';

/** Resolutions that an ESM-only package does not serve. */
const unserved = new Set(['node10', 'node16-cjs']);

/** What is wrong with the packages as users get them: packed, linted, installed, run in Node and in a page. */
export function publishedFindings(root: string): Promise<string[]> {
  return withProject(root, async (project) => {
    const linted = await Promise.all(project.tarballs.map(tarballFindings));
    linted.push(traceFindings(project));
    const ran = runProject(project, [process.execPath]);
    if (ran.length > 0) return [...linted.flat(), ...ran];
    if (!hasChromium) console.log('       not run in a page: there is no browser package for this machine');
    return [...linted.flat(), ...(hasChromium ? await runInPages(root, project) : [])];
  });
}

async function tarballFindings(tarball: string): Promise<string[]> {
  const name = path.basename(tarball);
  const bytes = readFileSync(tarball);
  const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  const { messages, pkg } = await publint({ pack: { tarball: data }, level: 'suggestion' });
  const shape = messages.map((message) => `${name}: ${formatMessage(message, pkg, { color: false })}`);
  const files = createPackageFromTarballData(new Uint8Array(data));
  const scripts = files.listFiles().filter((file) => /\/dist\/.*\.js$/.test(file));
  shape.push(...scripts.filter((file) => /[^\0-\x7f]/.test(files.readFile(file))).map((file) => `${name}: ${file} is not in ASCII`));
  const analysis = await checkPackage(files);
  if (!analysis.types) return [...shape, `${name}: has no types`];
  const types = analysis.problems
    .filter((problem) => !('resolutionKind' in problem && unserved.has(problem.resolutionKind)))
    .map((problem) => `${name}: ${JSON.stringify(problem)}`);
  return [...shape, ...types];
}
