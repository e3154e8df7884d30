// npm run oracle -- FILE… [--only NAME] [--json] [--backend reference|wasm]: replays recorded calls of PyTorch's operators and modules.
import { parseArgs } from 'node:util';
import * as tg from '@tapegrad/core';
import { readLines } from './files.ts';
import { replayModule } from './module-replay.ts';
import { nameOf, replay } from './replay.ts';
import { reportOf, statusOf, totalsOf } from './report.ts';
import { signatures } from './signatures.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', multiple: true }, json: { type: 'boolean' }, backend: { type: 'string' } },
});

if (positionals.length === 0) {
  console.error('usage: npm run oracle -- FILE… [--only NAME] [--json] [--backend reference|wasm]');
  process.exitCode = 1;
} else {
  if (values.backend !== undefined) await tg.useBackend(values.backend);
  const { only } = values;
  const wanted = (...names: string[]): boolean => only === undefined || names.some((name) => only.includes(name));
  const verdicts = positionals.flatMap(readLines).flatMap((line) => {
    if ('module' in line) return wanted(line.module) ? [replayModule(line)] : [];
    return wanted(nameOf(line), line.op) ? [replay(line, signatures[nameOf(line)])] : [];
  });
  if (values.json === true) {
    const lines = verdicts.map((verdict) => ({ ...verdict, status: statusOf(verdict) }));
    console.log(JSON.stringify({ backend: tg.currentBackend().name, totals: totalsOf(verdicts), operators: lines }, null, 1));
  } else console.log(`backend: ${tg.currentBackend().name}\n${reportOf(verdicts)}`);
  if (verdicts.some((verdict) => verdict.failures.length > 0)) process.exitCode = 1;
}
