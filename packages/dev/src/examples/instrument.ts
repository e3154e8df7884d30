import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import type { Example } from './extract.ts';

/** What an example says that it prints or throws, in the order of the page. */
export interface Expectation {
  line: number;
  lines: string[];
}

/** An example as a module whose lines are those of its page, and what the module has to print. */
export interface Program {
  text: string;
  expectations: Expectation[];
}

/** The name under which a program finds the recorder of `run.ts`. */
export const recorder = '__example';

/** Names that the examples in docstrings use without importing them. */
const ambient: Record<string, string> = {
  tg: "import * as tg from 'tapegrad';",
  nn: "import { nn } from 'tapegrad';",
  F: "import { nn as __nn } from 'tapegrad'; const F = __nn.functional;",
  optim: "import { optim } from 'tapegrad';",
  data: "import { data } from 'tapegrad';",
};

/**
 * Adds to the code the calls that compare: `statement; // → text` is what the statement prints, further lines of it stand
 * below as comments indented to the text; `statement; // throws text` is the message of its error.
 */
export function instrument(example: Example): Program {
  const lines: string[] = [];
  const expectations: Expectation[] = [];
  const expect = (line: number, text: string[]): number => expectations.push({ line, lines: text }) - 1;
  for (const { line: first, code, output } of example.blocks) {
    let pending = `${recorder}.begin(${first});`;
    for (let i = 0; i < code.length; i += 1) {
      const line = first + i;
      let statement = code[i]!;
      const prints = /^(.*?)\/\/ → ?(.*)$/.exec(statement);
      const throws = /^(.*?)\/\/ throws (.*)$/.exec(statement);
      let after = '';
      if (prints !== null) {
        const text = [prints[2]!];
        while (/^\s*\/\/ {3,}\S/.test(code[i + text.length] ?? '')) {
          text.push(code[i + text.length]!.replace(/^\s*\/\/ {3}/, ''));
        }
        after = `${recorder}.print(${expect(line, text)});`;
      } else if (throws !== null) {
        const index = expect(line, [throws[2]!]);
        statement = `await ${recorder}.throws(${index}, async () => { ${throws[1]!} });`;
      }
      lines[line] = pending + statement;
      pending = after;
    }
    const last = first + code.length;
    const shown = output === undefined ? 'undefined' : expect(output.line, output.lines);
    lines[last] = `${pending}${recorder}.end(${shown});`;
  }
  const body = Array.from({ length: lines.length - 1 }, (_, i) => lines[i + 1] ?? '');
  const text = withoutRepeatedImports(body.join('\n'));
  return { text: `${prelude(example, text)}${text}`, expectations };
}

/** Imports for the names that a docstring's example uses and does not declare, on one line. */
function prelude(example: Example, text: string): string {
  if (example.own === undefined) return '';
  const free = freeNames(text);
  const own = example.own.filter((name) => free.has(name));
  const file = JSON.stringify(pathToFileURL(example.file).href);
  return [
    ...(own.length > 0 ? [`import { ${own.join(', ')} } from ${file};`] : []),
    ...Object.entries(ambient).filter(([name]) => free.has(name) && !own.includes(name)).map(([, line]) => line),
  ].join(' ');
}

/** The identifiers that a module mentions as values and nowhere declares. */
function freeNames(text: string): Set<string> {
  const used = new Set<string>();
  const declared = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node;
      const isMember = (ts.isPropertyAccessExpression(parent) && parent.name === node)
        || ((ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent) || ts.isPropertyDeclaration(parent))
          && parent.name === node);
      const isDeclared = (ts.isVariableDeclaration(parent) || ts.isBindingElement(parent) || ts.isParameter(parent)
        || ts.isFunctionDeclaration(parent) || ts.isClassDeclaration(parent) || ts.isImportSpecifier(parent)
        || ts.isImportClause(parent) || ts.isNamespaceImport(parent)) && parent.name === node;
      if (isDeclared) declared.add(node.text);
      else if (!isMember) used.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('example.ts', text, ts.ScriptTarget.ESNext, true));
  return new Set([...used].filter((name) => !declared.has(name)));
}

/** Blocks of one page may each import what they use; the module that they become imports it once. */
function withoutRepeatedImports(text: string): string {
  const tree = ts.createSourceFile('example.ts', text, ts.ScriptTarget.ESNext, true);
  const seen = new Set<string>();
  let result = '';
  let end = 0;
  for (const statement of tree.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const from = statement.moduleSpecifier.getText(tree);
    const clause = statement.importClause;
    const bindings = clause?.namedBindings;
    const isNew = (name: ts.Identifier | undefined): boolean => {
      if (name === undefined || seen.has(name.text)) return false;
      seen.add(name.text);
      return true;
    };
    const parts: string[] = [];
    if (isNew(clause?.name)) parts.push(clause!.name!.text);
    if (bindings !== undefined && ts.isNamespaceImport(bindings)) {
      if (isNew(bindings.name)) parts.push(bindings.getText(tree));
    } else if (bindings !== undefined) {
      const names = bindings.elements.filter(({ name }) => isNew(name)).map((element) => element.getText(tree));
      if (names.length > 0) parts.push(`{ ${names.join(', ')} }`);
    }
    const start = statement.getStart(tree);
    const type = clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? 'type ' : '';
    const kept = parts.length > 0 || clause === undefined ? `import ${type}${parts.join(', ')}${clause ? ' from ' : ''}${from};` : '';
    const newlines = statement.getText(tree).split('\n').length - 1;
    result += text.slice(end, start) + kept + '\n'.repeat(newlines);
    end = statement.end;
  }
  return result + text.slice(end);
}
