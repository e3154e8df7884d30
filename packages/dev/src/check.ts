// npm test: every check in order of cost, one line each, then jest. `npm test -- ARGS` hands ARGS to jest;
// `npm test -- --only-jest ARGS` runs nothing else.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** One gate: returns what is wrong, one line per finding; nothing means that it passed. */
interface Check {
  name: string;
  run: () => string[] | Promise<string[]>;
  /** What to do about a finding. */
  advice: string;
}

/** Runs a program with node and turns a failure into findings. */
function program(...args: string[]): string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? [] : `${stdout}${stderr}`.trim().split('\n');
}

const tsc = 'node_modules/@typescript/native/bin/tsc';

const checks: Check[] = [
  {
    name: 'types of the packages',
    run: () => program(tsc, '-b', 'packages/dev/tsconfig.build.json'),
    advice: 'see the errors above; `npm run build` repeats this one',
  },
  {
    name: 'types of tests and programs',
    run: () => program(tsc, '-p', 'packages/dev/tsconfig.test.json'),
    advice: 'see the errors above',
  },
];

const argv = process.argv.slice(2);
const onlyJest = argv.includes('--only-jest');
const jestArgs = argv.filter((arg) => arg !== '--only-jest');

let failed = 0;
for (const check of onlyJest ? [] : checks) {
  const start = performance.now();
  const findings = await check.run();
  const seconds = `${((performance.now() - start) / 1000).toFixed(1)} s`;
  console.log(`${findings.length === 0 ? 'ok    ' : 'FAILED'} ${seconds.padStart(7)}  ${check.name}`);
  if (findings.length > 0) {
    failed += 1;
    console.log([...findings, check.advice].map((line) => `       ${line}`).join('\n'));
  }
}

const jest = spawnSync(
  process.execPath,
  ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js', ...jestArgs],
  { cwd: root, stdio: 'inherit' },
);
if (failed > 0) console.log(`${failed} of ${checks.length} checks failed; see above`);
process.exitCode = failed > 0 || jest.status !== 0 ? 1 : 0;
