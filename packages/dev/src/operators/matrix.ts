import * as tg from '@tapegrad/core';
import { nameOf, type Operator } from '../oracle/replay.ts';
import { signatures } from '../oracle/signatures.ts';
import { settings, type Row } from './page.ts';
import { proofOf, type Proof } from './proof.ts';

/** What the recorded calls show of each operator on each backend in each dtype; the backend is then the one it was. */
export async function matrixOf(operators: readonly Operator[]): Promise<Row[]> {
  const before = tg.currentBackend().name;
  const columns: Proof[][] = [];
  for (const { backend, dtype } of settings) {
    await tg.useBackend(backend);
    columns.push(operators.map((operator) => proofOf(operator, signatures[nameOf(operator)], dtype)));
  }
  await tg.useBackend(before);
  return operators.map((operator, i) => ({ operator, proofs: columns.map((column) => column[i]!) }));
}
