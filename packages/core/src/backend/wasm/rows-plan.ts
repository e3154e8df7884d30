import { type Expr, nodesOf, type PrimitiveName } from '../../expr/index.ts';
import type { RowComputation } from '../types.ts';
import { isHeavy } from './elementwise-lowerings.ts';
import type { FloatDType } from './floats.ts';

/** One loop over the elements of a row. */
export interface Pass {
  /** Folds that are taken in it; their results are known after it. */
  readonly folds: readonly number[];
  /** Outputs per element and per column that are written in it: all in the last pass, none before. */
  readonly outputs: readonly number[];
  /** What is computed for every element, arguments first. */
  readonly nodes: readonly Expr[];
  /** Nodes that are written to the row of an output, for a later pass to read. */
  readonly writes: readonly Expr[];
  /** Nodes that an earlier pass has written. */
  readonly reads: ReadonlySet<Expr>;
}

/** How a computation is carried out on one row. */
export interface RowPlan {
  readonly passes: readonly Pass[];
  /** Nodes with the same value in the whole row: computed once, as soon as the folds in them are known. */
  readonly scalars: readonly Expr[];
  /** The output in whose row a node is kept from pass to pass. */
  readonly places: ReadonlyMap<Expr, number>;
}

/** Whether an expression differs from element to element. `isDense(i)` says whether input i does. */
function variation(inputCount: number, isDense: (i: number) => boolean): (node: Expr) => boolean {
  const known = new Map<Expr, boolean>();
  return (expr) => {
    for (const node of nodesOf(expr)) {
      if (known.has(node)) continue;
      const isColumn = node.name === 'input' && node.value === inputCount;
      const isOwn = node.name === 'input' && node.value < inputCount && isDense(node.value);
      known.set(node, isColumn || isOwn || node.args.some((arg) => known.get(arg)!));
    }
    return known.get(expr)!;
  };
}

/** After how many passes a value is known, given those after which the folds are. */
function levelOf(expr: Expr, inputCount: number, levels: readonly number[]): number {
  let level = 0;
  for (const { name, value } of nodesOf(expr)) {
    if (name === 'input' && value > inputCount) level = Math.max(level, levels[value - inputCount - 1]!);
  }
  return level;
}

/** Arranges folds that do not wait for each other in one pass, and spares functions that two passes would compute. */
export function planRows(computation: RowComputation, isDense: (i: number) => boolean, dtype: FloatDType): RowPlan {
  const { inputCount, folds, outputs } = computation;
  const varies = variation(inputCount, isDense);
  const levels: number[] = [];
  for (const { value } of folds) levels.push(levelOf(value, inputCount, levels) + 1);
  const inLoop = outputs.map((_, o) => o).filter((o) => outputs[o]!.sort !== 'row');
  const last = inLoop.length > 0 ? Math.max(0, ...levels) + 1 : 0;
  const steps = Array.from({ length: Math.max(last, ...levels, 0) }, (_, k) => {
    const taken = folds.map((_, f) => f).filter((f) => levels[f] === k + 1);
    const written = k + 1 === last ? inLoop : [];
    const values = [...taken.map((f) => folds[f]!.value), ...written.map((o) => outputs[o]!.value)];
    return { folds: taken, outputs: written, values };
  });
  const places = keptNodes(
    steps.map(({ values }) => values.flatMap(nodesOf).filter((node) => varies(node))),
    inLoop.filter((o) => outputs[o]!.sort === 'element'),
    dtype,
  );
  const written = new Set<Expr>();
  const scalars = new Set<Expr>();
  const addScalars = (expr: Expr): void => nodesOf(expr).forEach((node) => scalars.add(node));
  const passes = steps.map(({ values, ...pass }): Pass => {
    const reads = new Set<Expr>();
    const needed = new Set<Expr>();
    for (const value of values) {
      const pending = [value];
      for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
        if (needed.has(node)) continue;
        if (!varies(node)) addScalars(node);
        else {
          needed.add(node);
          if (written.has(node)) reads.add(node);
          else pending.push(...node.args);
        }
      }
    }
    const nodes = [...needed].sort((a, b) => a.id - b.id);
    const writes = nodes.filter((node) => places.has(node) && !written.has(node));
    for (const node of writes) written.add(node);
    return { ...pass, nodes, writes, reads };
  });
  for (const { sort, value } of outputs) if (sort === 'row') addScalars(value);
  return { passes, scalars: [...scalars].sort((a, b) => a.id - b.id), places };
}

/** Costly nodes that more than one pass computes, each with an output per element whose row is free until the last. */
function keptNodes(passes: readonly (readonly Expr[])[], free: number[], dtype: FloatDType): Map<Expr, number> {
  const places = new Map<Expr, number>();
  const counts = new Map<Expr, number>();
  for (const nodes of passes) for (const node of new Set(nodes)) counts.set(node, (counts.get(node) ?? 0) + 1);
  for (const [node, count] of counts) {
    const isCostly = node.args.length > 0 && isHeavy(node.name as PrimitiveName, dtype);
    if (isCostly && count > 1 && free.length > 0) places.set(node, free.shift()!);
  }
  return places;
}
