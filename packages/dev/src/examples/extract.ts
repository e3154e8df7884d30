import ts from 'typescript';

/** Consecutive lines of code, and what they are said to print. */
export interface Block {
  /** The line of the file, counted from 1, on which the code begins. */
  line: number;
  code: string[];
  /** All that the block prints, where the page shows it. */
  output?: { line: number; lines: string[] };
}

/** Blocks that run one after the other as one module. */
export interface Example {
  file: string;
  blocks: Block[];
  /** In a docstring: names of its file that the code may use without importing them. */
  own?: string[];
}

/**
 * The examples of a page: its ```ts fences, as one module. A ```text fence below one is what it prints.
 * "ts new" begins another module; "ts excerpt" is not run.
 */
export function markdownExamples(file: string, text: string): Example[] {
  const examples: Example[] = [];
  let last: Block | undefined;
  for (const { info, line, lines } of fences(text.split('\n'))) {
    const [language, ...words] = info.split(/\s+/);
    if (language === 'text' && last !== undefined) last.output = { line, lines };
    last = undefined;
    if (language !== 'ts' || words.includes('excerpt')) continue;
    if (examples.length === 0 || words.includes('new')) examples.push({ file, blocks: [] });
    last = { line, code: lines };
    examples.at(-1)!.blocks.push(last);
  }
  return examples;
}

/** The examples of a source file: every `@example` of its docstrings, each a module of its own. */
export function docstringExamples(file: string, text: string): Example[] {
  const own = exportedValues(text);
  const examples: Example[] = [];
  for (const comment of text.matchAll(/\/\*\*[^]*?\*\//g)) {
    const before = text.slice(0, comment.index).split('\n').length;
    const lines = comment[0].split('\n').map((line) => line.replace(/^\s*(\/\*\*|\*\/|\*) ?/, '').replace(/\*\/$/, ''));
    for (let i = 0; i < lines.length; i += 1) {
      if (!/^@example\b/.test(lines[i]!)) continue;
      let end = i + 1;
      while (end < lines.length && !/^@\w/.test(lines[end]!)) end += 1;
      const body = lines.slice(i + 1, end);
      while (body.at(-1)?.trim() === '') body.pop();
      const first = before + i + 1;
      if (body.some((line) => line.startsWith('```'))) {
        const fenced = markdownExamples(file, body.join('\n'));
        for (const { blocks } of fenced) for (const block of blocks) shift(block, first - 1);
        examples.push(...fenced.map((example) => ({ ...example, own })));
      } else if (body.length > 0) {
        examples.push({ file, own, blocks: [{ line: first, code: body }] });
      }
    }
  }
  return examples;
}

/** Moves a block from the lines of its docstring to those of the file. */
function shift(block: Block, lines: number): void {
  block.line += lines;
  if (block.output !== undefined) block.output.line += lines;
}

function* fences(lines: string[]): Generator<{ info: string; line: number; lines: string[] }> {
  for (let i = 0; i < lines.length; i += 1) {
    const open = /^(\s*)```+(.*)$/.exec(lines[i]!);
    if (open === null) continue;
    const [, indent, info] = open as unknown as [string, string, string];
    let end = i + 1;
    while (end < lines.length && !/^\s*```+\s*$/.test(lines[end]!)) end += 1;
    const body = lines.slice(i + 1, end).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    yield { info: info.trim(), line: i + 2, lines: body };
    i = end;
  }
}

/** Names of the values that a file exports. */
function exportedValues(text: string): string[] {
  const tree = ts.createSourceFile('file.ts', text, ts.ScriptTarget.ESNext);
  return tree.statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement)) {
      const { exportClause, isTypeOnly } = statement;
      if (isTypeOnly || exportClause === undefined || !ts.isNamedExports(exportClause)) return [];
      return exportClause.elements.filter((element) => !element.isTypeOnly).map(({ name }) => name.text);
    }
    const exported = ts.canHaveModifiers(statement)
      && ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!exported) return [];
    if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) return [statement.name?.text ?? ''];
    if (!ts.isVariableStatement(statement)) return [];
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
  });
}
