import { type Expr, type PrimitiveName, primitives } from '../../expr/index.ts';
import type { Assembler, Callable, Imports } from './assembler.ts';
import { callsFunction } from './elementwise-functions.ts';
import type { LaneType, Vector } from './elementwise-lanes.ts';
import { lowerings } from './elementwise-lowerings.ts';
import type { Lowering, Scratch } from './elementwise-scratch.ts';

/** Functions that nodes of expressions call, which a module has to import. */
export interface ImportedFunctions {
  readonly imports: Imports;
  readonly calls: ReadonlyMap<string, Callable>;
}

/** Declares the functions of the primitives that have no vector code or fall back on them. */
export function importFunctions(assembler: Assembler, nodes: readonly Expr[], type: LaneType): ImportedFunctions {
  const calls = new Map<string, Callable>();
  const imports: Record<string, Imports[string]> = {};
  for (const { name, args } of nodes) {
    const isLowered = args.length === 0 || lowerings[type.name][name as PrimitiveName] !== undefined;
    if ((isLowered && !callsFunction.has(name)) || calls.has(name)) continue;
    imports[name] = primitives[name as PrimitiveName].js as Imports[string];
    const params = args.map(() => 'f64' as const);
    calls.set(name, assembler.import(name, params, type.callResult));
  }
  return { imports, calls };
}

/** Computes a node that has arguments, whose vectors are given. */
export function lowerNode(
  scratch: Scratch,
  node: Expr,
  values: ReadonlyMap<Expr, Vector>,
  lowering: Lowering | undefined = lowerings[scratch.type.name][node.name as PrimitiveName],
): Vector {
  const args = node.args.map((arg) => values.get(arg)!);
  const [a, b = a, c = a] = args as [Vector, Vector?, Vector?];
  if (lowering === undefined) return scratch.callEach(node.name as PrimitiveName, args);
  return scratch.keep(lowering(scratch, a, b, c, node));
}
