import { dtypeInfo, getDefaultDType } from './dtype.ts';
import { contiguousStrides, numel, shapeString, type Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** Digits after the point. */
const PRECISION = 4;
/** Tensors of more elements are shown by their edges. */
const THRESHOLD = 1000;
/** How many elements an edge has. */
const EDGE = 3;
const LINE_WIDTH = 80;
const PREFIX = 'tensor(';

/**
 * Values, shape, dtype and graph of a tensor, in PyTorch's layout: four digits, scientific notation where magnitudes
 * need it, lines of at most 80 characters, and of more than 1000 elements only the edges. After the values come the
 * shape, the dtype where the values do not tell it, and `requiresGrad` or `gradFn`.
 * @example
 * console.log(String(tg.tensor([[1, 2.5]]))); // → tensor([[1.0000, 2.5000]], shape=[1, 2])
 */
export function formatTensor(tensor: Tensor): string {
  const { shape, dtype, gradFn } = tensor;
  const isEmpty = numel(shape) === 0;
  const values = isEmpty ? '[]' : new Layout(tensor).block(0, 0, PREFIX.length);
  const isPlain = dtype === getDefaultDType() || (!isEmpty && (dtype === 'int32' || dtype === 'bool'));
  const suffixes = [`shape=${shapeString(shape)}`];
  if (!isPlain) suffixes.push(`dtype='${dtype}'`);
  if (gradFn !== null) suffixes.push(`gradFn=<${gradFn.name}>`);
  else if (tensor.requiresGrad) suffixes.push('requiresGrad=true');
  return withSuffixes(PREFIX + values, suffixes);
}

/** Appends what follows the values, on new lines where the line would become too long. */
function withSuffixes(text: string, suffixes: readonly string[]): string {
  let out = text;
  let width = text.length - text.lastIndexOf('\n') + 1;
  for (const suffix of suffixes) {
    if (width + suffix.length + 2 > LINE_WIDTH) {
      out += `,\n${' '.repeat(PREFIX.length)}${suffix}`;
      width = PREFIX.length + suffix.length;
    } else {
      out += `, ${suffix}`;
      width += suffix.length + 2;
    }
  }
  return `${out})`;
}

/** The values of one tensor, all in one format and width. */
class Layout {
  private readonly shape: Shape;
  private readonly strides: readonly number[];
  private readonly elements: ArrayLike<number>;
  private readonly isSummary: boolean;
  private readonly format: (value: number) => string;
  private readonly width: number;

  constructor(tensor: Tensor) {
    this.shape = tensor.shape;
    this.strides = contiguousStrides(tensor.shape);
    this.elements = tensor.toTypedArray();
    this.isSummary = this.elements.length > THRESHOLD;
    const shown: number[] = [];
    this.collect(0, 0, shown);
    const { category } = dtypeInfo[tensor.dtype];
    const formatted = category === 0 ? boolFormat : category === 1 ? integerFormat : floatFormat;
    ({ format: this.format, width: this.width } = formatted(shown));
  }

  /** Positions along a dimension that are shown, null for the gap between the edges. */
  private positions(d: number): (number | null)[] {
    const size = this.shape[d]!;
    const all = Array.from({ length: size }, (_, i) => i);
    return this.isSummary && size > 2 * EDGE ? [...all.slice(0, EDGE), null, ...all.slice(size - EDGE)] : all;
  }

  private collect(d: number, offset: number, shown: number[]): void {
    if (d === this.shape.length) {
      shown.push(this.elements[offset]!);
      return;
    }
    for (const i of this.positions(d)) if (i !== null) this.collect(d + 1, offset + i * this.strides[d]!, shown);
  }

  /** Everything from dimension `d` on; lines after the first are indented. */
  block(d: number, offset: number, indent: number): string {
    const rest = this.shape.length - d;
    if (rest === 0) return this.cell(offset);
    if (rest === 1) return this.line(d, offset, indent);
    const blocks = this.positions(d).map((i) => {
      return i === null ? '...' : this.block(d + 1, offset + i * this.strides[d]!, indent + 1);
    });
    return `[${blocks.join(`,${'\n'.repeat(rest - 1)}${' '.repeat(indent + 1)}`)}]`;
  }

  private line(d: number, offset: number, indent: number): string {
    const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / (this.width + 2)));
    const cells = this.positions(d).map((i) => (i === null ? ' ...' : this.cell(offset + i * this.strides[d]!)));
    const lines: string[] = [];
    for (let i = 0; i < cells.length; i += perLine) lines.push(cells.slice(i, i + perLine).join(', '));
    return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`;
  }

  private cell(offset: number): string {
    return this.format(this.elements[offset]!).padStart(this.width);
  }
}

interface Format {
  readonly format: (value: number) => string;
  readonly width: number;
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, text.length), 1);
}

function boolFormat(values: readonly number[]): Format {
  const format = (value: number): string => String(value !== 0);
  return { format, width: widest(values.map(format)) };
}

function integerFormat(values: readonly number[]): Format {
  return { format: String, width: widest(values.map(String)) };
}

/** Whole numbers, fixed or scientific notation, by the finite values other than 0. */
function floatFormat(values: readonly number[]): Format {
  const sample = values.filter((value) => Number.isFinite(value) && value !== 0);
  const whole = sample.every(Number.isInteger);
  const magnitudes = sample.map(Math.abs);
  const largest = magnitudes.reduce((a, b) => Math.max(a, b), 0);
  const smallest = magnitudes.reduce((a, b) => Math.min(a, b), Infinity);
  const isScientific = largest / smallest > 1000 || largest > 1e8 || (!whole && smallest < 1e-4);
  const finite = isScientific ? scientific : whole ? (value: number): string => `${fixed(value, 0)}.` : decimals;
  const format = (value: number): string => {
    if (Number.isNaN(value)) return 'nan';
    return Number.isFinite(value) ? finite(value) : value > 0 ? 'inf' : '-inf';
  };
  return { format, width: widest(sample.map(finite)) };
}

function decimals(value: number): string {
  return fixed(value, PRECISION);
}

/** Digits after the point, ties to the even digit. */
function fixed(value: number, digits: number): string {
  const magnitude = Math.abs(value);
  const exact = magnitude.toFixed(EXACT);
  const end = exact.length - EXACT + digits;
  return signOf(value) + evenTie(exact.slice(0, end), exact.slice(end), magnitude.toFixed(digits));
}

/** Enough digits to tell a tie. */
const EXACT = 60;

function signOf(value: number): string {
  return value < 0 || Object.is(value, -0) ? '-' : '';
}

/** `cut` where the digits cut off are exactly one half and its last digit is even, else what was rounded. */
function evenTie(cut: string, rest: string, rounded: string): string {
  return /^50*$/.test(rest) && /[02468]\.?$/.test(cut) ? cut.replace(/\.$/, '') : rounded;
}

function scientific(value: number): string {
  const magnitude = Math.abs(value);
  const [mantissa, exponent] = magnitude.toExponential(PRECISION).split('e') as [string, string];
  const exact = magnitude.toExponential(EXACT).split('e')[0]!;
  const end = mantissa.length;
  const digits = evenTie(exact.slice(0, end), exact.slice(end), mantissa);
  return `${signOf(value)}${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}
