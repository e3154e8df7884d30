import { inUnit, type Case, type Unit } from './case.ts';
import { oneThread } from './libraries.ts';
import type { Outcome } from './measure.ts';

/** A case with what all libraries made of it. */
export interface Measured {
  readonly work: Case;
  readonly outcomes: readonly Outcome[];
}

/** Rows of cells as a Markdown table, numbers to the right. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, c) => (c === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/**
 * The table of one group: median and spread of every library, then how many times faster the first one is
 * than the best JavaScript peer, than itself on one thread, and than PyTorch.
 */
export function groupTable(
  measured: readonly Measured[],
  own: string,
  peers: readonly string[],
  clock: 'wall' | 'cpu',
): string {
  const libraries = measured[0]!.outcomes.map(({ library }) => library);
  const shown = (name: string): boolean => libraries.includes(name);
  const ratios = [
    ...(peers.some(shown) ? [{ title: 'best JS peer', of: peers }] : []),
    ...(shown(oneThread) ? [{ title: oneThread, of: [oneThread] }] : []),
    ...(shown('torch') ? [{ title: 'torch', of: ['torch'] }] : []),
  ].filter(() => shown(own));
  const head = ['case', ...libraries, ...ratios.map(({ title }) => `${own} against ${title}`)];
  const rows = measured.map(({ work, outcomes }) => [
    `${work.name}, ${work.unit.name}`,
    ...outcomes.map((outcome) => cell(outcome, work.unit, clock)),
    ...ratios.map(({ of }) => ratio(outcomes, own, of, clock)),
  ]);
  return markdown(head, rows);
}

function cell(outcome: Outcome, unit: Unit, clock: 'wall' | 'cpu'): string {
  const { equal, missing, [clock]: time } = outcome;
  if (time === undefined) return missing === undefined ? '' : '–';
  return `${significant(inUnit(time.median, unit))} ±${Math.round(time.spread * 100)} %${equal === false ? ' ≠' : ''}`;
}

function ratio(
  outcomes: readonly Outcome[],
  own: string,
  others: readonly string[],
  clock: 'wall' | 'cpu',
): string {
  const time = (name: string): number => {
    const found = outcomes.find(({ library }) => library === name);
    // Who computes something else is not ahead of anybody.
    return found?.equal === false ? Infinity : (found?.[clock]?.median ?? Infinity);
  };
  const best = Math.min(...others.map(time));
  const factor = best / time(own);
  return Number.isFinite(factor) && factor > 0 ? `${significant(factor)}×` : '–';
}

/** Three digits, without an exponent. */
export function significant(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

/** Lines for what the table cannot show: results that differ, and why a number is missing. */
export function notes(measured: readonly Measured[]): string[] {
  return measured.flatMap(({ work, outcomes }) =>
    outcomes.flatMap(({ library, missing, equal, difference }) => {
      if (missing !== undefined) return [`– ${work.name}, ${library}: ${missing}`];
      if (equal !== false) return [];
      return [
        `≠ ${work.name}, ${library}: off by ${difference!.toExponential(1)}, tolerated ${work.tolerance}`,
      ];
    }),
  );
}
