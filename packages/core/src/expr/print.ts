import type { Expr } from './expr.ts';
import { primitives } from './primitives.ts';

/** Names for the leaves of a printed formula. */
export interface LeafNames {
  /** Default: `x` for one input, `a`, `b`, `c`, … for more. */
  readonly inputs?: readonly string[];
  /** Default: `p0`, `p1`, … */
  readonly params?: readonly string[];
  /** Default: `y` */
  readonly output?: string;
}

const ATOM = 9;
const NEGATION = 4.5;

/**
 * The expression as a readable formula, such as `x * (1 - y * y)`. Shared parts are written out at each use.
 */
export function print(expr: Expr, names: LeafNames = {}): string {
  const fallback = expr.inputCount === 1 ? 'x' : 'abcdefghijklmnopqrstuvw';
  return write(expr, names, fallback).text;
}

interface Piece {
  readonly text: string;
  readonly strength: number;
}

const atom = (text: string): Piece => ({ text, strength: ATOM });

function write(expr: Expr, names: LeafNames, fallback: string): Piece {
  switch (expr.name) {
    case 'input':
      return atom(names.inputs?.[expr.value] ?? fallback[expr.value] ?? `x${expr.value}`);
    case 'param':
      return atom(names.params?.[expr.value] ?? `p${expr.value}`);
    case 'output':
      return atom(names.output ?? 'y');
    case 'constant':
      return { text: number(expr.value), strength: expr.value < 0 ? NEGATION : ATOM };
    default: {
      const args = expr.args.map((arg) => write(arg, names, fallback));
      const { infix } = primitives[expr.name];
      if (infix !== undefined) {
        const [symbol, strength] = infix;
        // The right side of - and / is tighter, and comparisons do not chain.
        const [left, right] = [wrap(args[0]!, strength), wrap(args[1]!, strength + 0.1)];
        return { text: `${left} ${symbol} ${right}`, strength };
      }
      if (expr.name === 'neg') return { text: `-${wrap(args[0]!, 5)}`, strength: NEGATION };
      return atom(`${expr.name}(${args.map((arg) => arg.text).join(', ')})`);
    }
  }
}

function wrap(piece: Piece, strength: number): string {
  return piece.strength < strength ? `(${piece.text})` : piece.text;
}

/** Constants that have a name are written by it. */
function number(value: number): string {
  if (Object.is(value, -0)) return '-0';
  if (value === Infinity) return 'inf';
  return value === -Infinity ? '-inf' : String(value);
}
