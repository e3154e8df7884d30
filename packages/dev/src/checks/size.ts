import ts from 'typescript';
import { packageNames, sources } from './sources.ts';
import type { Source } from './sources.ts';

/** The most lines with code on them that a file may have. */
export const limit = 400;

/** Files that may be longer, each with the reason. */
const exceptions: Record<string, string> = {};

/** Files with more lines of code than the limit; comments and blank lines are free. */
export function sizeFindings(root: string): string[] {
  const folders = packageNames(root).flatMap((name) => [`packages/${name}/src`, `packages/${name}/test`]);
  return sources(root, [...folders, 'docs/examples', 'docs/test', 'benchmarks'])
    .filter(({ path }) => !(path in exceptions))
    .map((source) => ({ path: source.path, lines: codeLines(source) }))
    .filter(({ lines }) => lines > limit)
    .map(({ path, lines }) => `${path} has ${lines} lines of code`);
}

/** How many lines of a file hold at least one token. */
export function codeLines({ text, tree }: Source): number {
  const lines = new Set<number>();
  const visit = (node: ts.Node): void => {
    const children = node.getChildren(tree).filter((child) => !ts.isJSDoc(child));
    if (children.length > 0) return children.forEach(visit);
    if (node.getWidth(tree) === 0) return;
    const first = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line;
    const last = tree.getLineAndCharacterOfPosition(node.end).line;
    // Inside a template string a blank line is still text; it costs nothing either.
    for (let line = first; line <= last; line += 1) lines.add(line);
  };
  visit(tree);
  const written = text.split('\n');
  return [...lines].filter((line) => written[line]!.trim() !== '').length;
}
