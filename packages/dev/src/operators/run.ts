// npm run operators [-- FILE…]: writes docs/operators.md from the recorded calls that the tests carry; with files, says what
// is wrong in the calls of those and how many operators there are, and writes nothing.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { readOperators } from '../oracle/files.ts';
import { nameOf } from '../oracle/replay.ts';
import { signatures } from '../oracle/signatures.ts';
import { root } from '../root.ts';
import { matrixOf } from './matrix.ts';
import { countOf, pageOf, settings } from './page.ts';

const files = process.argv.slice(2);
const recorded = path.join(root, 'packages/dev/test/data/operators.jsonl.gz');
const rows = await matrixOf((files.length > 0 ? files : [recorded]).flatMap(readOperators));
for (const { operator, proofs } of rows) {
  proofs.forEach((proof, i) => {
    const { backend, dtype } = settings[i]!;
    for (const [letter, { kind, reason = '' }] of Object.entries(proof)) {
      if (kind === 'wrong') console.log(`${nameOf(operator)} ${letter} (${backend} ${dtype}): ${reason}`);
    }
  });
}
console.log(countOf(rows));
if (files.length === 0) writeFileSync(path.join(root, 'docs/operators.md'), pageOf(rows, signatures, root));
