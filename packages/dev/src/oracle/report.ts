import type { Verdict } from './replay.ts';
import { tierOf, type Tier } from './tiers.ts';

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
  errorsTotal: number;
  errorsRejected: number;
}

/** 'complete', 'partial', 'failing' or 'unsupported'. */
export function statusOf({
  passed,
  rejected,
  failures,
  accepted,
  unsupported,
}: Verdict): 'complete' | 'partial' | 'failing' | 'unsupported' {
  if (failures.length + accepted.length > 0) return 'failing';
  if (unsupported.length === 0) return 'complete';
  return passed + rejected > 0 ? 'partial' : 'unsupported';
}

/** Adds the verdicts up. */
export function totalsOf(verdicts: readonly Verdict[]): Totals {
  const sum = (count: (verdict: Verdict) => number): number => verdicts.reduce((total, verdict) => total + count(verdict), 0);
  const withStatus = (status: string): number => verdicts.filter((verdict) => statusOf(verdict) === status).length;
  return {
    operators: verdicts.length,
    complete: withStatus('complete'),
    partial: withStatus('partial'),
    failing: withStatus('failing'),
    unsupported: withStatus('unsupported'),
    samplesPassed: sum(({ passed }) => passed),
    samplesFailed: sum(({ failures }) => failures.length),
    samplesUnsupported: sum(({ samples, passed, failures }) => samples - passed - failures.length),
    errorsTotal: sum(({ errors }) => errors),
    errorsRejected: sum(({ rejected }) => rejected),
  };
}

/** The operators of each tier. */
function byTier(verdicts: readonly Verdict[]): [tier: Tier, verdicts: Verdict[]][] {
  const tiers: readonly Tier[] = ['A', 'B', 'C'];
  return tiers
    .map((tier): [Tier, Verdict[]] => [tier, verdicts.filter(({ name }) => tierOf(name) === tier)])
    .filter(([, members]) => members.length > 0);
}

/** How many calls with results went right in a tier; of PyTorch's modules there are no tiers. */
function tierLine([tier, verdicts]: [Tier, Verdict[]]): string {
  const { operators, complete, samplesPassed, samplesFailed, samplesUnsupported } = totalsOf(verdicts);
  const samples = samplesPassed + samplesFailed + samplesUnsupported;
  const rate = samples === 0 ? '' : ` (${((100 * samplesPassed) / samples).toFixed(1)} %)`;
  return `tier ${tier}: ${complete} of ${operators} operators complete, ${samplesPassed} of ${samples} samples passed${rate}`;
}

/** One line per operator that is not complete, with what is wrong, and the totals. */
export function reportOf(verdicts: readonly Verdict[]): string {
  const lines: string[] = [];
  for (const verdict of verdicts) {
    const status = statusOf(verdict);
    if (status === 'complete' || verdict.unsupported[0] === 'no signature yet') continue;
    lines.push(`${status.padEnd(12)} ${verdict.name}: ${verdict.passed + verdict.rejected} passed`);
    for (const line of [...verdict.failures, ...verdict.accepted, ...verdict.unsupported.map((reason) => `(unsupported) ${reason}`)]) {
      lines.push(`             ${line}`);
    }
  }
  const missing = verdicts.filter((verdict) => verdict.unsupported[0] === 'no signature yet').map((verdict) => verdict.name);
  if (missing.length > 0) lines.push(`no signature yet (${missing.length}): ${missing.join(', ')}`);
  const { operators, complete, partial, failing, unsupported, ...counts } = totalsOf(verdicts);
  lines.push(
    `operators: ${operators}: ${complete} complete, ${partial} partial, ${failing} failing, ${unsupported} unsupported`,
    `samples: ${counts.samplesPassed} passed, ${counts.samplesFailed} failed, ${counts.samplesUnsupported} unsupported`,
    `errors: ${counts.errorsRejected} of ${counts.errorsTotal} rejected`,
    ...byTier(verdicts).map(tierLine),
  );
  return lines.join('\n');
}

/** The counts as one line of JSON: over all, and by operator. */
export function jsonOf(verdicts: readonly Verdict[], about: Readonly<Record<string, string>>): string {
  const totals = totalsOf(verdicts);
  const byOp = Object.fromEntries(
    verdicts.map((verdict) => {
      const { name, samples, passed, errors, rejected, ...lines } = verdict;
      const failed = lines.failures.length;
      return [
        name,
        { status: statusOf(verdict), total: samples, passed, failed, unsupported: samples - passed - failed, errors, rejected, lines },
      ];
    }),
  );
  return JSON.stringify({
    ...about,
    total: totals.samplesPassed + totals.samplesFailed + totals.samplesUnsupported,
    passed: totals.samplesPassed,
    failed: totals.samplesFailed,
    unsupported: totals.samplesUnsupported,
    errorsTotal: totals.errorsTotal,
    errorsRejected: totals.errorsRejected,
    byOp,
  });
}
