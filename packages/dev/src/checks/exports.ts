import { existsSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { packageNames } from './sources.ts';

/** The longest first sentence that still fits the box an editor shows over a name. */
const longest = 240;

/** Public names whose docstring is missing or does not begin with a sentence. */
export function exportFindings(root: string): string[] {
  const entries = packageNames(root)
    .filter((name) => name !== 'dev')
    .flatMap((name) => ['index.ts', 'node.ts'].map((file) => path.join(root, 'packages', name, 'src', file)))
    .filter((file) => existsSync(file));
  // Neither the library nor ambient types are needed to follow a re-export, and they cost seconds.
  const program = ts.createProgram(entries, {
    noLib: true,
    types: [],
    noEmit: true,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    customConditions: ['@tapegrad/source'],
    allowImportingTsExtensions: true,
  });
  const checker = program.getTypeChecker();
  const seen = new Set<ts.Symbol>();
  const findings: string[] = [];
  const visit = (module: ts.Symbol, prefix: string): void => {
    for (const exported of checker.getExportsOfModule(module)) {
      const name = prefix + exported.name;
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      if (seen.has(symbol)) continue;
      seen.add(symbol);
      if (symbol.flags & ts.SymbolFlags.ValueModule) {
        visit(symbol, `${name}.`);
        continue;
      }
      const declaration = symbol.declarations?.[0];
      const file = declaration === undefined ? '' : path.relative(root, declaration.getSourceFile().fileName);
      // A name that comes from elsewhere is documented there.
      if (file.includes('node_modules')) continue;
      const wrong = faultOf(ts.displayPartsToString(symbol.getDocumentationComment(checker)));
      if (wrong !== undefined) findings.push(`${file} ${name}: ${wrong}`);
    }
  };
  for (const entry of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!);
    if (module !== undefined) visit(module, '');
  }
  return findings;
}

function faultOf(documentation: string): string | undefined {
  const [paragraph = ''] = documentation.trim().split(/\n\s*\n/);
  if (paragraph === '') return 'has no docstring';
  const [sentence] = paragraph.replace(/\s+/g, ' ').split(/(?<=[.:!?]\)?) (?=\P{Ll})/u) as [string];
  if (sentence.startsWith('@') || !/[.:!?…]\)?$/.test(sentence)) {
    return `its docstring does not begin with a sentence: "${sentence.slice(0, 60)}"`;
  }
  if (sentence.length > longest) return `its first sentence has ${sentence.length} characters, at most ${longest}`;
  return undefined;
}
