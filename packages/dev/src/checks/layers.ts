import { importsOf, resolveRelative, sourceFolders, sources } from './sources.ts';
import type { Import, Source } from './sources.ts';

interface Room {
  name: string;
  /** Files, and folders with a trailing slash, from core/src; the name of a file goes before its folder's. */
  holds: string[];
  /** That its files may not load one another. */
  closed?: true;
}

/** The rooms of core in reading order: a file loads only files of its own room and of those above it. */
export const rooms: Room[] = [
  { name: 'vocabulary', holds: ['dtype.ts', 'shape.ts', 'errors.ts', 'option-names.ts', 'warnings.ts'] },
  { name: 'expressions', holds: ['expr/'] },
  { name: 'random stream', holds: ['generator.ts', 'distributions.ts', 'normal-distribution.ts'] },
  { name: 'storage', holds: ['node-process.ts', 'heap.ts', 'collector.ts', 'block.ts', 'pages.ts', 'layout.ts', 'storage.ts'] },
  { name: 'backends', holds: ['backend/'] },
  { name: 'state', holds: ['modes.ts', 'tape.ts', 'view.ts', 'accumulate.ts', 'print.ts', 'tensor.ts', 'walked-losses.ts'] },
  { name: 'dispatch', holds: ['dispatch.ts'] },
  { name: 'automatic differentiation', holds: ['autodiff/'] },
  { name: 'kinds of op', holds: ['define/'] },
  { name: 'rules', holds: ['ops/'], closed: true },
  { name: 'rule book', holds: ['ops/index.ts'] },
  {
    name: 'surface',
    holds: [
      'aliases.ts', 'methods.ts', 'sequences.ts', 'create.ts', 'random.ts', 'ndarray-view.ts', 'jacobian.ts', 'jacobian-products.ts', 'func.ts', 'vmap.ts',
      'checkpoint.ts', 'scope.ts', 'profiler.ts', 'profile.ts',
    ],
  },
  { name: 'compositions', holds: ['compositions/'] },
  { name: 'namespaces', holds: ['linalg/', 'special/', 'masked/', 'safe/'] },
  { name: 'index', holds: ['index.ts'] },
];

/** What each package may load beside its own files. */
export const allowed: Record<string, string[]> = {
  core: [],
  nn: ['@tapegrad/core'],
  optim: ['@tapegrad/core'],
  data: ['@tapegrad/core'],
  interop: ['@tapegrad/core'],
  blas: ['@tapegrad/core', 'koffi'],
  tapegrad: ['@tapegrad/core', '@tapegrad/nn', '@tapegrad/optim', '@tapegrad/data', '@tapegrad/interop'],
};

/** Packages that only one folder may touch, not even for types. */
const confined: Record<string, string> = {
  ndarray: 'packages/core/src/backend/reference/',
  'ndarray-ops': 'packages/core/src/backend/reference/',
};

const coreSource = 'packages/core/src/';

/** Imports that go up in core, leave their package, or bring in what the package may not know. */
export function layerFindings(root: string): string[] {
  return sources(root, sourceFolders(root)).flatMap((source) => [
    ...roomless(source),
    ...importsOf(source).flatMap((entry) => {
      const wrong = entry.specifier.startsWith('.') ? relative(source, entry) : bare(source, entry);
      return wrong === undefined ? [] : [`${source.path}:${entry.line} imports ${entry.specifier}: ${wrong}`];
    }),
  ]);
}

function roomless(source: Source): string[] {
  if (!source.path.startsWith(coreSource) || roomOf(source.path) >= 0) return [];
  return [`${source.path} has no room: give it one in packages/dev/src/checks/layers.ts`];
}

function roomOf(path: string): number {
  const inside = path.slice(coreSource.length);
  const named = rooms.findIndex(({ holds }) => holds.includes(inside));
  if (named >= 0) return named;
  return rooms.findIndex(({ holds }) => holds.some((held) => held.endsWith('/') && inside.startsWith(held)));
}

function relative(source: Source, entry: Import): string | undefined {
  const target = resolveRelative(source.path, entry.specifier);
  const home = source.path.split('/').slice(0, 3).join('/');
  if (!target.startsWith(`${home}/`)) return `it lies outside ${home}; import the package by its name`;
  if (!source.path.startsWith(coreSource) || entry.kind !== 'static') return undefined;
  const from = roomOf(source.path);
  const to = roomOf(target);
  if (from < 0 || to < 0) return undefined;
  const [own, other] = [rooms[from]!, rooms[to]!];
  if (to > from) return `"${own.name}" may not load "${other.name}", which comes after it`;
  if (to === from && own.closed) return `a file of "${own.name}" loads no other one; call the method on Tensor`;
  return undefined;
}

function bare(source: Source, entry: Import): string | undefined {
  const [, owner, , ...inside] = source.path.split('/') as [string, string, string, ...string[]];
  if (!(owner in allowed)) return undefined;
  const { specifier } = entry;
  if (specifier.startsWith('node:')) {
    // What needs Node is loaded on demand, or lives behind the package's ./node entry.
    const nodeOnly = inside[0] === 'node.ts' || inside[0] === 'node' || entry.kind !== 'static';
    return nodeOnly ? undefined : 'browsers load this file; put it behind src/node.ts';
  }
  const folder = confined[specifier];
  if (folder !== undefined) {
    return source.path.startsWith(folder) || entry.kind === 'type' ? undefined : `only ${folder} may`;
  }
  if (allowed[owner]!.includes(specifier)) return undefined;
  return `${owner} may import ${allowed[owner]!.join(', ') || 'nothing'} only`;
}
