import type { Verdict } from './replay.ts';

/** Counts over many operators. */
export interface Totals {
  operators: number;
  /** Every sample and error as PyTorch has it. */
  complete: number;
  /** No failure, but some samples have no form here. */
  partial: number;
  failing: number;
  unsupported: number;
  samplesPassed: number;
  samplesFailed: number;
  samplesUnsupported: number;
}

/** 'complete', 'partial', 'failing' or 'unsupported'. */
export function statusOf({ passed, failures, unsupported }: Verdict): 'complete' | 'partial' | 'failing' | 'unsupported' {
  if (failures.length > 0) return 'failing';
  if (unsupported.length === 0) return 'complete';
  return passed > 0 ? 'partial' : 'unsupported';
}

/** Adds the verdicts up. */
export function totalsOf(verdicts: readonly Verdict[]): Totals {
  const totals: Totals = {
    operators: verdicts.length,
    complete: 0,
    partial: 0,
    failing: 0,
    unsupported: 0,
    samplesPassed: 0,
    samplesFailed: 0,
    samplesUnsupported: 0,
  };
  for (const verdict of verdicts) {
    totals[statusOf(verdict)]++;
    totals.samplesPassed += verdict.passed;
    totals.samplesFailed += verdict.failures.length;
    totals.samplesUnsupported += verdict.unsupported.length;
  }
  return totals;
}

/** One line per operator that is not complete, with what is wrong, and the totals. */
export function reportOf(verdicts: readonly Verdict[]): string {
  const lines: string[] = [];
  for (const verdict of verdicts) {
    const status = statusOf(verdict);
    if (status === 'complete' || verdict.unsupported[0] === 'no signature yet') continue;
    lines.push(`${status.padEnd(12)} ${verdict.name}: ${verdict.passed} passed`);
    for (const line of [...verdict.failures, ...verdict.unsupported.map((reason) => `(unsupported) ${reason}`)]) {
      lines.push(`             ${line}`);
    }
  }
  const missing = verdicts.filter((verdict) => verdict.unsupported[0] === 'no signature yet').map((verdict) => verdict.name);
  if (missing.length > 0) lines.push(`no signature yet (${missing.length}): ${missing.join(', ')}`);
  const { operators, complete, partial, failing, unsupported, ...samples } = totalsOf(verdicts);
  lines.push(
    `operators: ${operators}: ${complete} complete, ${partial} partial, ${failing} failing, ${unsupported} unsupported`,
    `samples: ${samples.samplesPassed} passed, ${samples.samplesFailed} failed, ${samples.samplesUnsupported} unsupported`,
  );
  return lines.join('\n');
}
