// npm run oracle -- FILE… [--only NAME] [--json] [--backend reference|wasm] [--dtype float64|float32]: replays recorded calls
// of PyTorch's operators and modules. --json ends with the counts as one line of JSON:
// { total, passed, failed, unsupported, errorsTotal, errorsRejected, byOp }.
// --dtype float32 makes every float64 tensor of the operators' calls float32 and compares with the same calls in float64 on
// the same rounded numbers, since rounding the inputs alone moves results far where a function is steep. Allowed is 1e-5 (some
// eighty roundings of float32) of the number and of the largest one beside it, which counts as at least 0.1, in gradients 1 (as
// large as what cancelled may have been), and ten times that to the second order.
import { parseArgs } from 'node:util';
import * as tg from '@tapegrad/core';
import { readLines } from './files.ts';
import { replayModule } from './module-replay.ts';
import { nameOf, replay } from './replay.ts';
import { jsonOf, reportOf } from './report.ts';
import { signatures } from './signatures.ts';
import { replaySingle } from './single.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', multiple: true },
    json: { type: 'boolean' },
    backend: { type: 'string' },
    dtype: { type: 'string', default: 'float64' },
  },
});
const { only, dtype } = values;

if (positionals.length === 0 || (dtype !== 'float64' && dtype !== 'float32')) {
  console.error('usage: npm run oracle -- FILE… [--only NAME] [--json] [--backend reference|wasm] [--dtype float64|float32]');
  process.exitCode = 1;
} else {
  if (values.backend !== undefined) await tg.useBackend(values.backend);
  const compare = dtype === 'float32' ? replaySingle : undefined;
  const wanted = (...names: string[]): boolean => only === undefined || names.some((name) => only.includes(name));
  const verdicts = positionals.flatMap(readLines).flatMap((line) => {
    if ('module' in line) return wanted(line.module) ? [replayModule(line)] : [];
    return wanted(nameOf(line), line.op) ? [replay(line, signatures[nameOf(line)], compare)] : [];
  });
  const backend = tg.currentBackend().name;
  console.log(`backend: ${backend}, ${dtype}\n${reportOf(verdicts)}`);
  if (values.json === true) console.log(jsonOf(verdicts, { backend, dtype }));
  if (verdicts.some(({ failures, accepted }) => failures.length + accepted.length > 0)) process.exitCode = 1;
}
