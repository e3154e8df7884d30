#!/usr/bin/env node
// node packages/dev/run.mjs FILE [ARGUMENT…]: installs what the lockfile says, once, with the pinned pnpm, then runs
// FILE (TypeScript or JavaScript) in this same process, so that signals and the exit code are the program's own.
// Needs nothing but Node and npm.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { engines, packageManager } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

checkNode(engines.node.match(/\d+/g).map(Number));
await install();
register('./typescript-loader.mjs', import.meta.url);
process.setSourceMapsEnabled(true);

const [file, ...args] = process.argv.slice(2);
if (file === undefined) fail('usage: node packages/dev/run.mjs FILE [ARGUMENT…]');
const program = path.resolve(root, file);
if (!existsSync(program)) fail(`${file} does not exist`);
process.argv = [process.argv[0], program, ...args];
await import(pathToFileURL(program).href);

function fail(message) {
  console.error(message);
  process.exit(1);
}

function checkNode([major, minor]) {
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number);
  if (haveMajor < major || (haveMajor === major && haveMinor < minor)) {
    fail(`tapegrad needs Node ${major}.${minor} or newer; this is ${process.version}`);
  }
}

async function install() {
  const modules = path.join(root, 'node_modules');
  const stamp = path.join(modules, '.install-stamp');
  const wanted = createHash('sha256')
    .update(readFileSync(path.join(root, 'pnpm-lock.yaml')))
    .update(`${process.platform} ${process.arch}`)
    .digest('hex');
  const isInstalled = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (isInstalled()) return;
  mkdirSync(modules, { recursive: true });
  const release = await acquire(path.join(modules, '.install-lock'));
  try {
    if (isInstalled()) return;
    console.error('installing the dependencies (once) …');
    const pnpm = findPnpm();
    const { status } = spawnSync(
      pnpm[0],
      [...pnpm.slice(1), 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false', '--reporter=append-only'],
      // What pnpm says goes to stderr: stdout belongs to the program.
      { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' },
    );
    if (status !== 0) fail('the installation failed; what pnpm said is above');
    writeFileSync(stamp, wanted);
  } finally {
    release();
  }
}

/** The command that is the pinned pnpm: the one on PATH if it is that version, else npm fetches it. */
function findPnpm() {
  const pinned = packageManager.split('+')[0];
  const found = spawnSync('pnpm', ['--version'], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    env: { ...process.env, COREPACK_ENABLE_DOWNLOAD_PROMPT: '0' },
  });
  if (found.status === 0 && `pnpm@${found.stdout.trim()}` === pinned) return ['pnpm'];
  return ['npm', 'exec', '--yes', '--loglevel=error', '--no-update-notifier', '--', pinned];
}

/** Lets one process at a time install; the lock of a process that died is taken over. */
async function acquire(lock) {
  for (;;) {
    try {
      const handle = openSync(lock, 'wx');
      writeFileSync(handle, String(process.pid));
      closeSync(handle);
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!isHeld(lock)) rmSync(lock, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function isHeld(lock) {
  try {
    const owner = Number(readFileSync(lock, 'utf8'));
    // Created a moment ago and not yet written: somebody is just taking it.
    if (owner === 0) return true;
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
