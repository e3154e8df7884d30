import { dtypeInfo, isFloating, type DType } from './dtype.ts';
import type { SizeClass } from './pages.ts';
import { contiguousStrides, isContiguous, numel, sameShape, type Shape, type Strides } from './shape.ts';

let count = 0;

/**
 * How elements lie in a storage, beside where they begin, and what follows from it. Layouts never change; results have that
 * of an operand where they can, and `alike` makes tensors of equal layouts share one, so that most of the time a look at
 * the layout answers all that an operation asks.
 */
export class Layout {
  readonly shape: Shape;
  readonly strides: Strides;
  readonly dtype: DType;
  /** Number of elements, and of the bytes that they take without gaps. */
  readonly numel: number;
  readonly byteLength: number;
  readonly isContiguous: boolean;
  /** Whether elements are floating-point numbers side by side. */
  readonly isPlain: boolean;
  /** Where small storages of this layout lie; null until the first of them, and for large ones. */
  pages: SizeClass | null = null;
  /** Counts layouts in order of creation. */
  readonly id: number = count++;

  constructor(shape: Shape, strides: Strides, dtype: DType) {
    this.shape = shape;
    this.strides = strides;
    this.dtype = dtype;
    this.numel = numel(shape);
    this.byteLength = this.numel * dtypeInfo[dtype].bytes;
    this.isContiguous = isContiguous(shape, strides);
    this.isPlain = this.isContiguous && isFloating(dtype);
  }
}

/** The layout of elements in row-major order. */
export function denseLayout(shape: Shape, dtype: DType): Layout {
  return new Layout(shape, contiguousStrides(shape), dtype);
}

/** What has a layout that may be exchanged for an equal one. */
interface LaidOut {
  layout: Layout;
}

/** Whether two tensors have one shape, one dtype and one order of elements. */
export function alike(x: LaidOut, y: LaidOut): boolean {
  return x.layout === y.layout || becomeAlike(x, y);
}

/** As `alike`; gives both the older layout if theirs are equal, so that in the end all share the oldest. */
function becomeAlike(x: LaidOut, y: LaidOut): boolean {
  const { layout: a } = x;
  const { layout: b } = y;
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false;
  // The strides of dimensions of one element do not matter, except to whoever asks for them.
  if (!sameShape(a.strides, b.strides)) return a.isContiguous && b.isContiguous;
  if (a.id < b.id) y.layout = a;
  else x.layout = b;
  return true;
}
