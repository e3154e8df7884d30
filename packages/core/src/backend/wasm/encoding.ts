/** Bytes of WebAssembly's binary format: integers of variable length, floats, names and vectors of things. */

/** An unsigned integer in LEB128. */
export function unsigned(value: number): number[] {
  if (value < 128) return [value];
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** A signed 32-bit integer in LEB128. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 127;
    rest >>= 7;
    if ((rest === 0 && low < 64) || (rest === -1 && low >= 64)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}

/** A signed 64-bit integer in LEB128. */
export function signed64(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (;;) {
    const low = Number(rest & 127n);
    rest >>= 7n;
    if ((rest === 0n && low < 64) || (rest === -1n && low >= 64)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

/** The little-endian bytes of a 32-bit integer. */
export function int32Bytes(value: number): number[] {
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];
}

/** The little-endian bytes of a 64-bit integer. */
export function int64Bytes(value: number | bigint): number[] {
  const bits = BigInt.asUintN(64, BigInt(value));
  return [...int32Bytes(Number(bits & 0xffffffffn) | 0), ...int32Bytes(Number(bits >> 32n) | 0)];
}

const scratch = new DataView(new ArrayBuffer(8));

/** The bytes of a single-precision number. */
export function float32Bytes(value: number): number[] {
  scratch.setFloat32(0, value, true);
  return int32Bytes(scratch.getInt32(0, true));
}

/** The bytes of a double-precision number. */
export function float64Bytes(value: number): number[] {
  scratch.setFloat64(0, value, true);
  return [...int32Bytes(scratch.getInt32(0, true)), ...int32Bytes(scratch.getInt32(4, true))];
}

/** A name: its length and its characters, which are ASCII here. */
export function text(name: string): number[] {
  return [...unsigned(name.length), ...Array.from(name, (c) => c.charCodeAt(0))];
}

/** A section: its number, the length of its content, and the content: a count and that many items. */
export function section(id: number, items: readonly (readonly number[])[]): number[] {
  if (items.length === 0) return [];
  const content = unsigned(items.length).concat(...items);
  return [id].concat(unsigned(content.length), content);
}
