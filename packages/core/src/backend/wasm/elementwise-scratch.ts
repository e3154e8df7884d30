import type { Expr, PrimitiveName } from '../../expr/index.ts';
import { type Callable, call, type FunctionBuilder, type Local } from './assembler.ts';
import { constantAddress } from './elementwise-constants.ts';
import type { LaneType, Vector } from './elementwise-lanes.ts';

/**
 * Vector code for a primitive. Arguments may be used more than once: they are variables or constants.
 * Masks have all bits of a lane set or none.
 */
export type Lowering = (scratch: Scratch, a: Vector, b: Vector, c: Vector, node: Expr) => Vector;

/** Lowerings by primitive; the others have none. */
export type Lowerings = Readonly<Partial<Record<PrimitiveName, Lowering>>>;

/**
 * Variables for the intermediate results of an expression, reused by every copy of its code in a function.
 */
export class Scratch {
  readonly f: FunctionBuilder;
  readonly type: LaneType;
  /** How many lanes count; functions are not called for the others. */
  lanes = 0;
  private readonly calls: ReadonlyMap<string, Callable>;
  private readonly variables: Local<'v128'>[] = [];
  private used = 0;

  constructor(f: FunctionBuilder, type: LaneType, calls: ReadonlyMap<string, Callable>) {
    this.f = f;
    this.type = type;
    this.calls = calls;
    f.keepConstants(constantAddress);
  }

  /** Starts another copy of the code. */
  restart(lanes: number): void {
    this.lanes = lanes;
    this.used = 0;
  }

  /** Computes a vector now and keeps it. */
  keep(value: Vector): Local<'v128'> {
    const variable = (this.variables[this.used] ??= this.f.local('v128'));
    this.used++;
    this.f.set(variable, value);
    return variable;
  }

  /** Calls the function of a primitive for every lane that counts. */
  callEach(name: PrimitiveName, args: readonly Vector[]): Local<'v128'> {
    const { type } = this;
    const result = this.keep(type.constant(0));
    for (let lane = 0; lane < this.lanes; lane++) {
      const values = args.map((arg) => type.extract(arg, lane));
      const value = call(this.calls.get(name)! as Callable<'f64' | 'i32'>, ...values);
      this.f.set(result, type.replace(result, lane, value));
    }
    return result;
  }
}
