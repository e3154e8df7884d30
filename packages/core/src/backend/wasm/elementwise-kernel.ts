import { type DType, dtypeInfo } from '../../dtype.ts';
import { type Expr, nodesOf, type PrimitiveName } from '../../expr/index.ts';
import {
  Assembler,
  type Callable,
  f64,
  type FunctionBuilder,
  i32,
  type Local,
  type Type,
  v128,
} from './assembler.ts';
import {
  type LaneName,
  type LaneType,
  laneTypes,
  loadDense,
  loadSplat,
  loadStrided,
  maskToBool,
  storeDense,
  storeStrided,
  type Vector,
} from './elementwise-lanes.ts';
import { isHeavy } from './elementwise-lowerings.ts';
import { importFunctions, lowerNode } from './elementwise-nodes.ts';
import { Scratch } from './elementwise-scratch.ts';

/** How the elements of an operand lie along the inner loop: side by side, one for all, or with a stride. */
export type Mode = 'dense' | 'splat' | 'strided';

/** What a kernel is made for. */
export interface Signature {
  readonly compute: LaneName;
  readonly outs: readonly OperandType[];
  readonly inputs: readonly OperandType[];
  readonly params: number;
}

/** An operand as a kernel knows it. */
export interface OperandType {
  readonly dtype: DType;
  readonly mode: Mode;
}

/** Number of addresses and of parameters that a flat kernel takes, used or not. */
export const FLAT_INPUTS = 4;
export const FLAT_PARAMS = 2;

/** One loop over dense and splat operands: count, address of out, of the inputs, parameters. */
export type FlatKernel = (
  count: number,
  out: number,
  a: number,
  b: number,
  c: number,
  d: number,
  p: number,
  q: number,
) => void;

/** Two nested loops over operands with any strides; all arguments are read from an argument block. */
export type NestedKernel = (block: number) => void;

/** Layout of an argument block: the parameters as doubles, then 32-bit integers. */
export const blockLayout = {
  /** Index of the first integer. */
  integers: (params: number): number => params * 2,
  /**
   * Integers: outer count, inner count, then per operand (out first) its address and both strides in bytes.
   */
  operand: (params: number, k: number): number => params * 2 + 2 + 3 * k,
};

/** Compiles an expression for operands without strides. */
export function compileFlat(expr: Expr, signature: Signature): FlatKernel {
  return build([expr], signature, (assembler, emitter) => {
    const slots: Record<string, Type> = { count: 'i32', out: 'i32' };
    for (let k = 0; k < FLAT_INPUTS; k++) slots[`in${k}`] = 'i32';
    for (let k = 0; k < FLAT_PARAMS; k++) slots[`p${k}`] = 'f64';
    assembler.function('run', slots, null, (f, locals) => {
      const integer = (name: string): Local<'i32'> => locals[name] as Local<'i32'>;
      const loop = new InnerLoop(f, emitter);
      loop.params((k) => locals[`p${k}`] as Local<'f64'>);
      const pointers = [integer('out'), ...signature.inputs.map((_, k) => integer(`in${k}`))];
      loop.emit(integer('count'), pointers, []);
    });
  });
}

/** Compiles expressions, one per result, for operands with strides. Elements are read before any result is written. */
export function compileNested(exprs: readonly Expr[], signature: Signature): NestedKernel {
  return build(exprs, signature, (assembler, emitter) => {
    assembler.function('run', { block: 'i32' }, null, (f, { block }) => {
      const { params } = signature;
      const argument = (index: number): Local<'i32'> => f.i32(i32.load(block, index * 4));
      const loop = new InnerLoop(f, emitter);
      loop.params((k) => f64.load(block, k * 8));
      const outerCount = argument(blockLayout.integers(params));
      const innerCount = argument(blockLayout.integers(params) + 1);
      const operands = [...signature.outs, ...signature.inputs].map((_, k) => {
        const at = blockLayout.operand(params, k);
        return { base: argument(at), outer: argument(at + 1), inner: argument(at + 2), pointer: f.i32() };
      });
      const left = f.i32();
      f.repeat(outerCount, () => {
        f.set(left, innerCount);
        for (const { pointer, base } of operands) f.set(pointer, base);
        loop.emit(
          left,
          operands.map((operand) => operand.pointer),
          operands.map((operand) => operand.inner),
        );
        for (const { base, outer } of operands) f.increment(base, outer);
      });
    });
  });
}

/** What the loops of both kinds of kernel share. */
interface Emitter {
  readonly exprs: readonly Expr[];
  readonly nodes: readonly Expr[];
  readonly type: LaneType;
  readonly signature: Signature;
  readonly calls: ReadonlyMap<string, Callable>;
}

function build<K>(
  exprs: readonly Expr[],
  signature: Signature,
  define: (assembler: Assembler, emitter: Emitter) => void,
): K {
  const assembler = new Assembler();
  const type = laneTypes[signature.compute];
  // Arguments come before what they are arguments of, as they are older.
  const nodes = [...new Set(exprs.flatMap(nodesOf))].sort((a, b) => a.id - b.id);
  const { imports, calls } = importFunctions(assembler, nodes, type);
  define(assembler, { exprs, nodes, type, signature, calls });
  return assembler.compile<{ run: K }>(imports).run;
}

/** Loops with few instructions are unrolled to so many vectors. */
const UNROLL = 4;
const LIGHT = 5;

/** The loop over the elements of one row. */
class InnerLoop {
  private readonly f: FunctionBuilder;
  private readonly emitter: Emitter;
  private readonly scratch: Scratch;
  private readonly paramVectors: Vector[] = [];
  private readonly splats: Local<'v128'>[];

  constructor(f: FunctionBuilder, emitter: Emitter) {
    this.f = f;
    this.emitter = emitter;
    this.scratch = new Scratch(f, emitter.type, emitter.calls);
    this.splats = emitter.signature.inputs.map(() => f.local('v128'));
  }

  /** Puts the parameters into vectors. */
  params(value: (k: number) => Parameters<LaneType['splat']>[0]): void {
    for (let k = 0; k < this.emitter.signature.params; k++) {
      this.paramVectors.push(this.f.local('v128', this.emitter.type.splat(value(k))));
    }
  }

  /**
   * Writes the loop: whole vectors, then single elements by the same arithmetic. Moves the pointers and uses
   * up the count. Operands are the results, then the inputs; strides matter only to strided ones.
   */
  emit(count: Local<'i32'>, pointers: readonly Local<'i32'>[], strides: readonly Local<'i32'>[]): void {
    const { f } = this;
    const { type, signature, nodes } = this.emitter;
    const { outs, inputs } = signature;
    const operands = [...outs, ...inputs];
    inputs.forEach((input, k) => {
      if (input.mode === 'splat') f.set(this.splats[k]!, loadSplat(type, input.dtype, pointers[outs.length + k]!));
    });
    const lanes = operands.map(({ mode }, k) => {
      if (mode !== 'strided') return [pointers[k]!];
      const multiples = [2, 3].slice(0, type.count - 2).map((m) => f.i32(i32.mul(strides[k]!, m)));
      return [pointers[k]!, ...[strides[k]!, ...multiples].map((stride) => i32.add(pointers[k]!, stride))];
    });
    const advance = (elements: number): void => {
      operands.forEach(({ dtype, mode }, k) => {
        if (mode === 'dense') f.increment(pointers[k]!, dtypeInfo[dtype].bytes * elements);
        else if (mode === 'strided') {
          f.increment(pointers[k]!, elements === 1 ? strides[k]! : i32.mul(strides[k]!, elements));
        }
      });
      f.increment(count, -elements);
    };
    const work = nodes.filter((node) => node.args.length > 0);
    const isLight =
      work.length <= LIGHT && !work.some((node) => isHeavy(node.name as PrimitiveName, type.name));
    const isSimple = isLight && operands.every(({ mode }) => mode !== 'strided');
    for (const unroll of isSimple ? [UNROLL, 1] : [1]) {
      f.while(
        () => i32.ge(count, type.count * unroll),
        () => {
          for (let copy = 0; copy < unroll; copy++) this.vector(lanes, copy);
          advance(type.count * unroll);
        },
      );
    }
    f.while(
      () => i32.gt(count, 0),
      () => {
        this.single(pointers);
        advance(1);
      },
    );
  }

  /** One vector of elements; `copy` counts vectors from the pointers on. */
  private vector(addresses: readonly (readonly Parameters<typeof loadSplat>[2][])[], copy: number): void {
    const { type, signature } = this.emitter;
    const { outs, inputs } = signature;
    const offset = (dtype: DType): number => copy * type.count * dtypeInfo[dtype].bytes;
    const results = this.compute(type.count, (k) => {
      const { dtype, mode } = inputs[k]!;
      const at = addresses[outs.length + k]!;
      if (mode === 'dense') return loadDense(type, dtype, at[0]!, offset(dtype));
      return mode === 'splat' ? this.splats[k]! : loadStrided(type, dtype, at);
    });
    outs.forEach(({ dtype, mode }, o) => {
      const { bytes } = dtypeInfo[dtype];
      if (mode === 'strided') storeStrided(this.f, bytes, results[o]!, addresses[o]!);
      else storeDense(this.f, bytes * type.count, results[o]!, addresses[o]![0]!, offset(dtype));
    });
  }

  /** One element, in the first lane. */
  private single(pointers: readonly Local<'i32'>[]): void {
    const { type, signature } = this.emitter;
    const { outs, inputs } = signature;
    const results = this.compute(1, (k) => {
      const { dtype, mode } = inputs[k]!;
      return mode === 'splat' ? this.splats[k]! : loadSplat(type, dtype, pointers[outs.length + k]!);
    });
    outs.forEach(({ dtype }, o) => storeStrided(this.f, dtypeInfo[dtype].bytes, results[o]!, [pointers[o]!]));
  }

  /** The expressions in vectors, each as bytes of its result. */
  private compute(lanes: number, load: (k: number) => Vector): Vector[][] {
    const { exprs, nodes } = this.emitter;
    this.scratch.restart(lanes);
    const values = new Map<Expr, Vector>();
    for (const node of nodes) values.set(node, this.lower(node, values, load));
    return exprs.map((expr, o) => this.narrowed(expr, values.get(expr)!, this.emitter.signature.outs[o]!.dtype));
  }

  private narrowed(expr: Expr, value: Vector, dtype: DType): Vector[] {
    const { scratch } = this;
    const { type } = this.emitter;
    const kept = expr.args.length > 0 ? scratch.keep(value) : value;
    const isMask = expr.kind === 'mask';
    if (isMask && dtype === 'bool') return [scratch.keep(maskToBool(type, kept))];
    const number = isMask ? scratch.keep(v128.and(kept, type.constant(1))) : kept;
    return type.narrow[dtype](number).map((raw) => scratch.keep(raw));
  }

  private lower(node: Expr, values: ReadonlyMap<Expr, Vector>, load: (k: number) => Vector): Vector {
    const { scratch } = this;
    const { type } = this.emitter;
    switch (node.name) {
      case 'constant':
        return type.constant(type.name === 'int32' ? Math.trunc(node.value) : node.value);
      case 'input':
        return scratch.keep(load(node.value));
      case 'param':
        return this.paramVectors[node.value]!;
      case 'output':
        throw new Error('an expression that mentions output() cannot run; substitute an input for it');
      default:
        return lowerNode(scratch, node, values);
    }
  }
}
