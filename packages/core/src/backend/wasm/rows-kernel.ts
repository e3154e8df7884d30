import { type DType, dtypeInfo } from '../../dtype.ts';
import type { Expr, PrimitiveName } from '../../expr/index.ts';
import type { RowComputation } from '../types.ts';
import { Assembler, type Callable, f64, type FunctionBuilder, i32, i32x4, type Local, v128 } from './assembler.ts';
import { type LaneType, laneTypes, loadDense, loadSplat, type Vector } from './elementwise-lanes.ts';
import { isHeavy } from './elementwise-lowerings.ts';
import { importFunctions, lowerNode } from './elementwise-nodes.ts';
import { Scratch as Variables } from './elementwise-scratch.ts';
import { type FloatDType, type FloatType, floatTypes } from './floats.ts';
import { ColumnSums } from './rows-columns.ts';
import { exponential } from './rows-exponential.ts';
import { type Pass, planRows, type RowPlan } from './rows-plan.ts';
import { RowTotal } from './rows-total.ts';

/** What a kernel is made for. */
export interface RowSignature {
  readonly dtype: FloatDType;
  /** dtype of each input, and whether its elements lie side by side in a row or it has one per row. */
  readonly inputs: readonly { readonly dtype: DType; readonly isDense: boolean }[];
}

/** Runs over all rows; reads everything from an argument block. */
export type RowKernel = (block: number) => void;

/** Layout of an argument block: the parameters as doubles, then 32-bit integers. */
export const rowBlock = {
  /** Index of the number of rows; the number of columns follows. */
  counts: (params: number): number => params * 2,
  /** Index of an operand's address (outputs first); what it moves by from row to row, in bytes, follows. */
  operand: (params: number, k: number): number => params * 2 + 2 + 2 * k,
};

/** Vectors of partial sums in loops of few instructions, which hide the latency of the addition. */
const UNROLL = 4;
/** Loops with more work than that are not unrolled: their folds are no longer what they wait for. */
const LIGHT = 12;
/** Steps of a loop after which partial sums go into a double. */
const BLOCK = 128;

/** Compiles a computation for inputs of these kinds. */
export function compileRows(computation: RowComputation, signature: RowSignature): RowKernel {
  const { dtype, inputs } = signature;
  const assembler = new Assembler();
  const plan = planRows(computation, (i) => inputs[i]!.isDense, dtype);
  const nodes = [...plan.scalars, ...plan.passes.flatMap((pass) => pass.nodes)];
  const { imports, calls } = importFunctions(assembler, nodes, laneTypes[dtype]);
  const sums = new ColumnSums(assembler, dtype);
  assembler.function('run', { block: 'i32' }, null, (f, { block }) => {
    new RowWriter(f, block, { computation, signature, plan, calls, sums }).write();
  });
  return assembler.compile<{ run: RowKernel }>(imports).run;
}

/** An operand: where its row starts, and where the loop is. */
interface Pointer {
  readonly row: Local<'i32'>;
  readonly step: Local<'i32'>;
  readonly at: Local<'i32'>;
  /** Bytes per element. */
  readonly bytes: number;
}

/** What the body of a kernel is written from. */
interface RowParts {
  readonly computation: RowComputation;
  readonly signature: RowSignature;
  readonly plan: RowPlan;
  readonly calls: ReadonlyMap<string, Callable>;
  readonly sums: ColumnSums;
}

/** Writes the body of a kernel. */
class RowWriter {
  private readonly f: FunctionBuilder;
  private readonly block: Local<'i32'>;
  private readonly computation: RowComputation;
  private readonly signature: RowSignature;
  private readonly plan: RowPlan;
  private readonly sums: ColumnSums;
  private readonly variables: Variables;
  private readonly type: LaneType;
  private readonly float: FloatType;
  private readonly outs: readonly Pointer[];
  private readonly inputs: readonly Pointer[];
  private readonly rows: Local<'i32'>;
  private readonly columns: Local<'i32'>;
  /** Columns beyond the last whole vector, and lanes that hold one. */
  private readonly rest: Local<'i32'>;
  private readonly restMask: Local<'v128'>;
  private readonly counter: Local<'v128'>;
  private readonly left: Local<'i32'>;
  private readonly steps: Local<'i32'>;
  /** Values that are the same in the whole row, each in all lanes. */
  private readonly scalars = new Map<Expr, Vector>();

  constructor(f: FunctionBuilder, block: Local<'i32'>, parts: RowParts) {
    const { computation, signature } = parts;
    this.f = f;
    this.block = block;
    this.computation = computation;
    this.signature = signature;
    this.plan = parts.plan;
    this.sums = parts.sums;
    this.variables = new Variables(f, laneTypes[signature.dtype], parts.calls);
    const { dtype } = signature;
    this.type = laneTypes[dtype];
    this.float = floatTypes[dtype];
    const params = paramCountOf(computation);
    const argument = (index: number): Local<'i32'> => f.i32(i32.load(block, index * 4));
    this.rows = argument(rowBlock.counts(params));
    this.columns = argument(rowBlock.counts(params) + 1);
    const pointer = (k: number, { bytes }: { bytes: number }): Pointer => {
      const at = rowBlock.operand(params, k);
      return { row: argument(at), step: argument(at + 1), at: f.i32(), bytes };
    };
    const { outputs } = computation;
    this.outs = outputs.map((_, o) => pointer(o, this.float));
    this.inputs = signature.inputs.map((input, i) => pointer(outputs.length + i, dtypeInfo[input.dtype]));
    this.rest = f.i32(i32.and(this.columns, this.type.count - 1));
    this.restMask = f.local('v128', this.maskOf(this.rest));
    this.counter = f.local('v128');
    this.left = f.i32();
    this.steps = f.i32();
  }

  private maskOf(count: Local<'i32'>): Vector {
    const wide = this.type.count === 2;
    const lanes = wide ? i32x4.replace(i32x4.replace(i32x4.const(0), 2, 1), 3, 1) : firstLanes();
    return i32x4.lt(lanes, i32x4.splat(count));
  }

  write(): void {
    const { f, plan, computation } = this;
    this.declareScalars();
    const sums = computation.outputs.flatMap(({ sort }, o) => (sort === 'column' ? [this.outs[o]!.row] : []));
    for (const sum of sums) this.sums.start(f, sum, this.columns);
    f.repeat(this.rows, () => {
      const known = new Set<Expr>();
      this.computeScalars(known, -1);
      plan.passes.forEach((pass, k) => {
        this.writePass(pass);
        this.computeScalars(known, k);
      });
      computation.outputs.forEach(({ sort, value }, o) => {
        const { row } = this.outs[o]!;
        if (sort === 'row') f.storeLane(this.float.bytes, 0, row, this.scalar(value));
      });
      for (const { row, step } of [...this.outs, ...this.inputs]) f.increment(row, step);
      this.sums.afterRow(f, sums, this.columns);
    });
    for (const sum of sums) this.sums.finish(f, sum, this.columns);
  }

  /** Gives every value of a row a variable; parameters are read at once. */
  private declareScalars(): void {
    const { f } = this;
    for (const node of this.plan.scalars) {
      if (node.name === 'constant') this.scalars.set(node, this.type.constant(node.value));
      else if (node.name === 'param') {
        this.scalars.set(node, f.local('v128', this.type.splat(f64.load(this.block, node.value * 8))));
      } else this.scalars.set(node, f.local('v128'));
    }
    for (const pass of this.plan.passes) {
      for (const fold of pass.folds) {
        const leaf = this.foldLeaf(fold);
        if (leaf !== undefined && !this.scalars.has(leaf)) this.scalars.set(leaf, f.local('v128'));
      }
    }
  }

  private foldLeaf(fold: number): Expr | undefined {
    const index = this.computation.inputCount + 1 + fold;
    return this.plan.scalars.find((node) => node.name === 'input' && node.value === index);
  }

  private scalar(node: Expr): Vector {
    return this.scalars.get(node)!;
  }

  /** Computes the values of a row that are known now: after this many passes. */
  private computeScalars(known: Set<Expr>, pass: number): void {
    const { f, variables, type, signature, computation } = this;
    variables.restart(type.count);
    for (const node of this.plan.scalars) {
      if (known.has(node)) continue;
      if (node.name === 'input') {
        const { value } = node;
        if (value < computation.inputCount) {
          f.set(this.scalar(node) as Local<'v128'>, loadSplat(type, signature.inputs[value]!.dtype, this.inputs[value]!.row));
        } else if (!this.isTaken(value - computation.inputCount - 1, pass)) continue;
      } else if (node.args.length > 0) {
        if (!node.args.every((arg) => known.has(arg))) continue;
        f.set(this.scalar(node) as Local<'v128'>, lowerNode(variables, node, this.scalars, exponential(node, type)));
      }
      known.add(node);
    }
  }

  private isTaken(fold: number, pass: number): boolean {
    return this.plan.passes.some(({ folds }, k) => k <= pass && folds.includes(fold));
  }

  private writePass(pass: Pass): void {
    const { f, float, left, steps } = this;
    const { count } = this.type;
    const moving = this.moving(pass);
    const work = pass.nodes.filter((node) => node.args.length > 0);
    const isLight =
      work.length <= LIGHT && !work.some((node) => !pass.reads.has(node) && isHeavy(node.name as PrimitiveName, float.dtype));
    const unroll = !isLight ? 1 : pass.folds.length > 1 ? UNROLL / 2 : UNROLL;
    const totals = pass.folds.map((fold) => {
      return new RowTotal(f, float, this.computation.folds[fold]!.kind, unroll);
    });
    const counts = pass.nodes.some((node) => this.isColumnNumber(node));
    if (counts) f.set(this.counter, columnNumbers(this.type));
    for (const { at, row } of moving) f.set(at, row);
    for (const total of totals) total.reset();
    const advance = (vectors: number): void => {
      for (const { at, bytes } of moving) f.increment(at, bytes * count * vectors);
      if (counts) f.set(this.counter, float.lanes.add(this.counter, count * vectors));
    };
    f.set(left, i32.shrU(this.columns, Math.log2(count)));
    f.while(
      () => i32.ge(left, unroll),
      () => {
        f.set(steps, i32.shrU(left, Math.log2(unroll)));
        f.if(i32.gt(steps, BLOCK), () => f.set(steps, i32.const(BLOCK)));
        f.set(left, i32.sub(left, i32.mul(steps, unroll)));
        f.countdown(steps, () => {
          for (let copy = 0; copy < unroll; copy++) this.writeVector(pass, totals, copy, null);
          advance(unroll);
        });
        if (totals.length > 0) f.if(i32.ge(left, unroll), () => totals.forEach((total) => total.spill()));
      },
    );
    if (unroll > 1) {
      f.while(
        () => left,
        () => {
          this.writeVector(pass, totals, 0, null);
          advance(1);
          f.increment(left, -1);
        },
      );
    }
    f.if(this.rest, () => this.writeVector(pass, totals, unroll - 1, this.rest));
    pass.folds.forEach((fold, k) => {
      const leaf = this.foldLeaf(fold);
      if (leaf !== undefined) f.set(this.scalar(leaf) as Local<'v128'>, totals[k]!.result());
    });
  }

  private isColumnNumber({ name, value }: Expr): boolean {
    return name === 'input' && value === this.computation.inputCount;
  }

  /** The operands that a pass walks along. */
  private moving(pass: Pass): Pointer[] {
    const pointers = new Set<Pointer>(pass.outputs.map((o) => this.outs[o]!));
    for (const node of [...pass.reads, ...pass.writes]) pointers.add(this.outs[this.plan.places.get(node)!]!);
    for (const node of pass.nodes) {
      if (node.name === 'input' && !this.isColumnNumber(node)) pointers.add(this.inputs[node.value]!);
    }
    return [...pointers];
  }

  /** Computes one vector of a pass; `rest` is the number of lanes that count, null for all. */
  private writeVector(pass: Pass, totals: readonly RowTotal[], copy: number, rest: Local<'i32'> | null): void {
    const { f, computation, plan } = this;
    const ahead = rest === null ? copy : 0;
    const values = this.evaluate(pass, ahead);
    const value = (expr: Expr): Vector => values.get(expr)!;
    const store = (o: number, vector: Vector): void => {
      const { at, bytes } = this.outs[o]!;
      if (rest === null) f.store(at, vector, ahead * 16);
      else storeRest(f, bytes, at, vector, rest);
    };
    for (const node of pass.writes) store(plan.places.get(node)!, value(node));
    pass.folds.forEach((fold, k) => {
      totals[k]!.take(copy, value(computation.folds[fold]!.value), rest === null ? null : this.restMask);
    });
    for (const o of pass.outputs) {
      const { sort, value: expr } = computation.outputs[o]!;
      if (sort === 'element') store(o, value(expr));
      else this.sums.add(f, this.outs[o]!.at, ahead * 16, value(expr), rest === null ? null : this.restMask);
    }
  }

  private evaluate(pass: Pass, ahead: number): Map<Expr, Vector> {
    const { variables, type, float, signature } = this;
    variables.restart(type.count);
    const values = new Map<Expr, Vector>(this.scalars);
    for (const node of pass.nodes) {
      if (pass.reads.has(node)) {
        const { at } = this.outs[this.plan.places.get(node)!]!;
        values.set(node, variables.keep(v128.load(at, ahead * 16)));
      } else if (this.isColumnNumber(node)) {
        values.set(node, ahead === 0 ? this.counter : variables.keep(float.lanes.add(this.counter, ahead * type.count)));
      } else if (node.name === 'input') {
        const { dtype } = signature.inputs[node.value]!;
        const { at, bytes } = this.inputs[node.value]!;
        values.set(node, variables.keep(loadDense(type, dtype, at, ahead * type.count * bytes)));
      } else values.set(node, lowerNode(variables, node, values, exponential(node, type)));
    }
    return values;
  }
}

/** How many parameters the expressions mention. */
export function paramCountOf({ folds, outputs }: RowComputation): number {
  return Math.max(0, ...[...folds, ...outputs].map(({ value }) => value.paramCount));
}

function firstLanes(): Vector {
  let lanes: Vector = i32x4.const(0);
  for (const lane of [1, 2, 3]) lanes = i32x4.replace(lanes, lane, lane);
  return lanes;
}

function columnNumbers({ count, replace, constant }: LaneType): Vector {
  let numbers = constant(0);
  for (let lane = 1; lane < count; lane++) numbers = replace(numbers, lane, f64.const(lane));
  return numbers;
}

/** Stores the lanes that count: fewer than a vector has. */
function storeRest(f: FunctionBuilder, bytes: number, at: Local<'i32'>, vector: Vector, rest: Local<'i32'>): void {
  if (bytes === 8) f.storeLane(8, 0, at, vector);
  else {
    f.if(
      i32.and(rest, 2),
      () => {
        f.storeLane(8, 0, at, vector);
        f.if(i32.and(rest, 1), () => f.storeLane(4, 2, at, vector, 8));
      },
      () => f.storeLane(4, 0, at, vector),
    );
  }
}
