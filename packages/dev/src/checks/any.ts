import ts from 'typescript';
import { lineOf, packageNames, sources } from './sources.ts';

/** Places that write the type `any` with no comment beside it or on the line above that says why. */
export function anyFindings(root: string): string[] {
  const folders = packageNames(root).map((name) => `packages/${name}/src`);
  return sources(root, [...folders, 'docs/examples', 'benchmarks']).flatMap((source) => {
    const lines = source.text.split('\n');
    const found = new Set<number>();
    const visit = (node: ts.Node): void => {
      if (node.kind === ts.SyntaxKind.AnyKeyword) found.add(lineOf(source, node));
      ts.forEachChild(node, visit);
    };
    visit(source.tree);
    return [...found]
      .filter((line) => !/\/\/|\*\//.test(lines[line - 1]!) && !/\/\/|\*\/|^\s*\*/.test(lines[line - 2] ?? ''))
      .map((line) => `${source.path}:${line} any`);
  });
}
