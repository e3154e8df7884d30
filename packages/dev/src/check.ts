// npm test: every check, one line each, then jest. `npm test -- ARGUMENT…` hands the arguments to jest;
// `--only-jest` and `--only-checks` leave out the other half.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { anyFindings } from './checks/any.ts';
import { bundleFindings } from './checks/bundle.ts';
import { cycleFindings } from './checks/cycles.ts';
import { exportFindings } from './checks/exports.ts';
import { layerFindings } from './checks/layers.ts';
import { publishedFindings } from './checks/published.ts';
import { limit, sizeFindings } from './checks/size.ts';
import { run, tsc } from './program.ts';
import { buildPackages } from './published/build.ts';
import { root } from './root.ts';

interface Check {
  name: string;
  /** What is wrong, one line per finding; nothing means that all is well. */
  run: (root: string) => string[] | Promise<string[]>;
  /** What to do about a finding. */
  advice: string;
}

const checks: Check[] = [
  {
    name: 'build of the packages',
    run: buildPackages,
    advice: 'Exports need explicit types, relative imports end in .ts, and only erasable syntax is used.',
  },
  {
    name: 'types of tests and programs',
    run: () => run([tsc, '-p', 'packages/dev/tsconfig.test.json']),
    advice: 'Tests and programs are checked against the sources of the packages.',
  },
  {
    name: 'lint',
    run: () => run(['node_modules/oxlint/bin/oxlint', '-f', 'unix']),
    advice: 'The rules are in .oxlintrc.json; a line that has to break one says why beside oxlint-disable-next-line.',
  },
  {
    name: 'layers',
    run: layerFindings,
    advice: 'Which file may load which is the table in packages/dev/src/checks/layers.ts.',
  },
  {
    name: 'import cycles',
    run: cycleFindings,
    advice: 'Use `import type`, or move what both files need into a third one.',
  },
  {
    name: 'file size',
    run: sizeFindings,
    advice: `A file has at most ${limit} lines of code: split it at its second noun.`,
  },
  {
    name: 'any with a reason',
    run: anyFindings,
    advice: 'Use unknown or a type parameter; where it has to be any, a comment beside it says why.',
  },
  {
    name: 'documented exports',
    run: exportFindings,
    advice: 'Every public name has a docstring that begins with one sentence.',
  },
  {
    name: 'bundle size',
    run: bundleFindings,
    advice:
      'See what came in: a function that only makes constants is marked @__NO_SIDE_EFFECTS__, so that they can be left out; ' +
      'methods of Tensor are on every page. The ceilings are in packages/dev/src/checks/bundle.ts.',
  },
  {
    name: 'packed packages in Node and in a page',
    run: publishedFindings,
    advice: 'npm run check:published repeats this one; packages/dev/smoke.mjs is what runs.',
  },
];

const flags = new Set(['--only-jest', '--only-checks']);
const args = process.argv.slice(2);
const jestArgs = args.filter((arg) => !flags.has(arg));

const failed: string[] = [];
const said = new Set<string>();
for (const check of args.includes('--only-jest') ? [] : checks) {
  const start = performance.now();
  const findings = await check.run(root);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${findings.length === 0 ? 'ok    ' : 'FAILED'} ${seconds.padStart(5)} s  ${check.name}`);
  if (findings.length > 0) {
    failed.push(check.name);
    // The two type checks see the same sources: what the first said is not said again.
    const fresh = findings.filter((finding) => !said.has(finding));
    const repeated = findings.length > fresh.length ? [`${findings.length - fresh.length} findings as above`] : [];
    console.log([...fresh, ...repeated, check.advice].map((line) => `       ${line}`).join('\n'));
    for (const finding of fresh) said.add(finding);
  }
}

const jestPassed = args.includes('--only-checks') || runJest(jestArgs);
if (failed.length > 0) console.log(`failed: ${failed.join(', ')}; what was found is above`);
process.exitCode = failed.length > 0 || !jestPassed ? 1 : 0;

/** Runs the tests, closes with their count in one plain line, and says whether all passed. */
function runJest(jestArgs: string[]): boolean {
  const result = path.join(root, `node_modules/.cache/jest-${process.pid}.json`);
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = [...flags, 'node_modules/jest/bin/jest.js', '--json', `--outputFile=${result}`, ...jestArgs];
  // What jest prints for people goes to stderr; with --json, stdout has the result once more.
  const { status } = spawnSync(process.execPath, jest, { cwd: root, stdio: ['inherit', 'ignore', 'inherit'] });
  if (existsSync(result)) {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(result, 'utf8')) as Record<string, number>;
    rmSync(result);
    console.log(`tests: ${numPassedTests} passed, ${numFailedTests} failed`);
  }
  return status === 0;
}
