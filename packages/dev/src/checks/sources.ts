import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** A TypeScript file of the workspace, with its path from the root in forward slashes. */
export interface Source {
  path: string;
  text: string;
  tree: ts.SourceFile;
}

/** One import or re-export as written. */
export interface Import {
  specifier: string;
  line: number;
  /** `static` runs when the file is loaded, `dynamic` when asked for, `type` never. */
  kind: 'static' | 'dynamic' | 'type';
}

/** Each file is read and parsed once for all checks. */
const parsed = new Map<string, Source>();

const skipped = new Set(['node_modules', 'dist', 'out', '.cache']);

/** All TypeScript files under the given folders of root; a folder that does not exist has none. */
export function sources(root: string, folders: string[]): Source[] {
  return folders.flatMap((folder) => files(path.join(root, folder)))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .sort()
    .map((file) => parse(root, file));
}

function parse(root: string, file: string): Source {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(file, 'utf8');
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
  const source = { path: path.relative(root, file).replaceAll(path.sep, '/'), text, tree };
  parsed.set(file, source);
  return source;
}

/** The names of the folders in packages/. */
export function packageNames(root: string): string[] {
  return readdirSync(path.join(root, 'packages')).filter((name) =>
    statSync(path.join(root, 'packages', name)).isDirectory());
}

/** The `src` folder of every package. */
export function sourceFolders(root: string): string[] {
  return packageNames(root).map((name) => `packages/${name}/src`);
}

/** The line, counted from 1, on which a node begins. */
export function lineOf(source: Source, node: ts.Node): number {
  return source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree)).line + 1;
}

/** Every import of a file: declarations, re-exports and `import()` of a literal. */
export function importsOf(source: Source): Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined, kind: Import['kind']): void => {
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
      found.push({ specifier: specifier.text, line: lineOf(source, node), kind });
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      // Only `import type` vanishes: `import { type A }` still loads the file under verbatimModuleSyntax.
      const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      add(node, node.moduleSpecifier, typeOnly ? 'type' : 'static');
    } else if (ts.isExportDeclaration(node)) {
      add(node, node.moduleSpecifier, node.isTypeOnly ? 'type' : 'static');
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0], 'dynamic');
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node, node.argument.literal, 'type');
    }
    ts.forEachChild(node, visit);
  };
  visit(source.tree);
  return found;
}

/** The path from the root that a relative specifier names. */
export function resolveRelative(from: string, specifier: string): string {
  return path.posix.join(path.posix.dirname(from), specifier);
}

function files(folder: string): string[] {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    if (skipped.has(entry.name)) return [];
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? files(file) : [file];
  });
}
