import { importsOf, resolveRelative, sourceFolders, sources } from './sources.ts';

/** Circles of files that load one another; types and `import()` are free to, since neither runs at load. */
export function cycleFindings(root: string): string[] {
  const edges = new Map<string, string[]>();
  for (const source of sources(root, sourceFolders(root))) {
    const targets = importsOf(source)
      .filter(({ kind, specifier }) => kind === 'static' && specifier.startsWith('.'))
      .map(({ specifier }) => resolveRelative(source.path, specifier));
    edges.set(source.path, targets);
  }
  const findings: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const walk = (file: string): void => {
    const start = trail.indexOf(file);
    if (start >= 0) {
      findings.push([...trail.slice(start), file].join(' -> '));
      return;
    }
    if (done.has(file)) return;
    trail.push(file);
    for (const target of edges.get(file) ?? []) walk(target);
    trail.pop();
    done.add(file);
  };
  for (const file of edges.keys()) walk(file);
  return findings;
}
