import { ValueError } from '../../errors.ts';
import { nodeProcess } from '../../node-process.ts';
import type { FloatType } from './floats.ts';
import type { Value } from './value.ts';

/** a b + c on vectors, as the engine does it best. */
export function multiplyAdd(
  { lanes }: FloatType,
  a: Value<'v128'>,
  b: Value<'v128'>,
  c: Value<'v128'>,
): Value<'v128'> {
  return hasRelaxedMadd() ? lanes.relaxedMadd(a, b, c) : lanes.add(c, lanes.mul(a, b));
}

let relaxed: boolean | undefined;

/** Whether kernels multiply and add in one instruction, `relaxed_madd`. */
export function hasRelaxedMadd(): boolean {
  return (relaxed ??= !wantsStrict() && (computes() || (allowInNode20() && computes())));
}

/** What the environment variable `TAPEGRAD_SIMD` asks for: `strict` is what engines without the instruction compute. */
function wantsStrict(): boolean {
  const asked = nodeProcess()?.env?.['TAPEGRAD_SIMD'] ?? '';
  if (asked !== '' && asked !== 'strict') {
    throw new ValueError(`the environment variable TAPEGRAD_SIMD is '${asked}'; it may be strict, or left out`);
  }
  return asked === 'strict';
}

/** V8 has the instruction without a flag since 11.4; Node 20, with 11.3, has it complete behind one (decision 21). */
function allowInNode20(): boolean {
  const node = nodeProcess();
  if (node?.versions?.v8?.startsWith('11.3.') !== true) return false;
  node.getBuiltinModule?.('node:v8').setFlagsFromString('--experimental-wasm-relaxed-simd');
  return true;
}

/** Whether the engine takes the instruction, and 2 · 3 + 4 is 10 with it: early forms had their operands in another order. */
function computes(): boolean {
  const bytes = probe();
  if (!WebAssembly.validate(bytes)) return false;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  return (exports['f'] as () => number)() === 10;
}

/** A module with a function that gives 2 · 3 + 4. */
function probe(): Uint8Array<ArrayBuffer> {
  const splat = (float: readonly number[]): number[] => [0x43, ...float, 0xfd, 0x13];
  const operands = [...splat([0, 0, 0, 0x40]), ...splat([0, 0, 0x40, 0x40]), ...splat([0, 0, 0x80, 0x40])];
  const body = [0, ...operands, 0xfd, 0x85, 0x02, 0xfd, 0x1f, 0, 0x0b];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 5, 1, 0x60, 0, 1, 0x7d],
    ...[3, 2, 1, 0],
    ...[7, 5, 1, 1, 0x66, 0, 0],
    ...[10, body.length + 2, 1, body.length, ...body],
  ]);
}
