import { childrenOf } from './members.ts';
import type { Module } from './module.ts';

/** A module and all below it, one line each, as PyTorch prints them. */
export function formatTree(module: Module): string {
  return layOut(module, namedLines(module));
}

/** The same for a list, in which runs of equal lines are folded: `(0-3): 4 x Linear(…)`. */
export function formatList(module: Module): string {
  const runs: { first: string; last: string; count: number; text: string }[] = [];
  for (const [key, child] of childrenOf(module)) {
    const text = child.toString();
    const run = runs.at(-1);
    if (run !== undefined && run.text === text) {
      run.last = key;
      run.count++;
    } else runs.push({ first: key, last: key, count: 1, text });
  }
  const lines = runs.map(({ first, last, count, text }) =>
    indented(count === 1 ? `(${first}): ${text}` : `(${first}-${last}): ${count} x ${text}`),
  );
  return layOut(module, lines);
}

function namedLines(module: Module): string[] {
  return childrenOf(module).map(([key, child]) => indented(`(${key}): ${child.toString()}`));
}

function layOut(module: Module, children: readonly string[]): string {
  const extra = module.extraRepr();
  const name = module.constructor.name;
  if (children.length === 0 && !extra.includes('\n')) return `${name}(${extra})`;
  const lines = extra === '' ? children : [...extra.split('\n'), ...children];
  return `${name}(\n  ${lines.join('\n  ')}\n)`;
}

function indented(text: string): string {
  return text.replaceAll('\n', '\n  ');
}
