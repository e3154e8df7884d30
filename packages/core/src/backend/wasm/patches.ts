import { Assembler, type FunctionBuilder, i32, type Local, type Value } from './assembler.ts';
import { type FloatType, perFloatType } from './floats.ts';
import { squareOf } from './square.ts';
import { tileColumns } from './tile.ts';

/**
 * Patches are what windows see: a matrix with a row per tap (channel and place in the window) and a column
 * per window. It is never stored; the element (tap, window) is at `base + start(window) + offsets[tap]`, in
 * bytes, of an input that has its padding around it. Windows are numbered through rows of `width` windows and
 * planes of `height` rows; neighbouring windows are `step`, rows `rowStep`, planes `planeStep` bytes apart.
 */
export interface PatchKernels {
  /** Packs some windows as columns of a right operand, `taps` deep. */
  packWindows(
    to: number,
    base: number,
    offsets: number,
    taps: number,
    first: number,
    count: number,
    width: number,
    height: number,
    step: number,
    rowStep: number,
    planeStep: number,
  ): void;
  /** Packs taps as columns of a right operand, `count` windows deep. */
  packTaps: PatchKernels['packWindows'];
  /** Adds a dense matrix of patches to where its elements came from. */
  addPatches: PatchKernels['packWindows'];
  /** Copies patches into a dense matrix; `to` is the image and `base` the matrix, as for `addPatches`. */
  copyPatches: PatchKernels['packWindows'];
}

const params = {
  to: 'i32',
  base: 'i32',
  offsets: 'i32',
  taps: 'i32',
  first: 'i32',
  count: 'i32',
  width: 'i32',
  height: 'i32',
  step: 'i32',
  rowStep: 'i32',
  planeStep: 'i32',
} as const;
type PatchLocals = { readonly [name in keyof typeof params]: Local<'i32'> };

/** Goes through the windows in their order. */
class Cursor {
  /** Where the window starts, in bytes. */
  readonly at: Local<'i32'>;
  private readonly f: FunctionBuilder;
  private readonly p: PatchLocals;
  private readonly column: Local<'i32'>;
  private readonly row: Local<'i32'>;
  private readonly plane: Local<'i32'>;

  constructor(f: FunctionBuilder, p: PatchLocals) {
    this.f = f;
    this.p = p;
    this.at = f.i32();
    this.column = f.i32();
    this.row = f.i32();
    this.plane = f.i32();
  }

  /** Goes to the first window. */
  reset(): void {
    const { f, p } = this;
    f.set(this.column, i32.rem(p.first, p.width));
    f.set(this.row, i32.rem(i32.div(p.first, p.width), p.height));
    f.set(this.plane, i32.div(i32.div(p.first, p.width), p.height));
    this.locate();
  }

  private locate(): void {
    const { f, p } = this;
    const inPlane = i32.add(i32.mul(this.row, p.rowStep), i32.mul(this.column, p.step));
    f.set(this.at, i32.add(i32.mul(this.plane, p.planeStep), inPlane));
  }

  /** Windows that are left in this row. */
  leftInRow(): Value<'i32'> {
    return i32.sub(this.p.width, this.column);
  }

  /** Goes some windows further, at most to the start of the next row. */
  advance(windows: Value<'i32'>): void {
    const { f, p } = this;
    f.increment(this.column, windows);
    f.increment(this.at, i32.mul(windows, p.step));
    f.if(i32.eq(this.column, p.width), () => {
      f.set(this.column, i32.const(0));
      f.increment(this.row, 1);
      f.if(i32.eq(this.row, p.height), () => {
        f.set(this.row, i32.const(0));
        f.increment(this.plane, 1);
      });
      this.locate();
    });
  }
}

function build(float: FloatType): PatchKernels {
  const assembler = new Assembler();
  definePackWindows(assembler, float);
  definePackTaps(assembler, float);
  const { lanes, scalar } = float;
  defineWalk(
    assembler,
    float,
    'addPatches',
    (f, image, matrix, at) => f.store(image, lanes.add(lanes.load(image, at), lanes.load(matrix, at)), at),
    (f, image, matrix) => f.store(image, scalar.add(scalar.load(image), scalar.load(matrix))),
  );
  defineWalk(
    assembler,
    float,
    'copyPatches',
    (f, image, matrix, at) => f.store(matrix, lanes.load(image, at), at),
    (f, image, matrix) => f.store(matrix, scalar.load(image)),
  );
  return assembler.compile<PatchKernels>();
}

function definePackWindows(assembler: Assembler, float: FloatType): void {
  const { lanes, scalar, bytes } = float;
  const panelBytes = tileColumns(float) * bytes;
  assembler.function('packWindows', params, null, (f, p) => {
    const [half, to, left, from, tap] = [f.i32(), f.i32(), f.i32(), f.i32(), f.i32()];
    const starts = Array.from({ length: lanes.count }, () => f.i32());
    const cursor = new Cursor(f, p);
    cursor.reset();
    f.set(left, p.count);
    /** Writes one vector of the panel for every tap. */
    const eachTap = (body: () => void): void => {
      f.set(to, i32.add(p.to, half));
      f.set(tap, p.offsets);
      f.repeat(p.taps, () => {
        body();
        f.increment(to, panelBytes);
        f.increment(tap, 4);
      });
    };
    const isDense = f.i32(i32.eq(p.step, bytes));
    const packHalf = (): void => {
      const together = i32.and(i32.ge(cursor.leftInRow(), lanes.count), i32.ge(left, lanes.count));
      f.if(
        i32.and(isDense, together),
        () => {
          f.set(from, i32.add(p.base, cursor.at));
          eachTap(() => f.store(to, lanes.load(i32.add(from, i32.load(tap)))));
          cursor.advance(i32.const(lanes.count));
          f.increment(left, -lanes.count);
        },
        () => {
          // What is beyond the last window repeats it; nobody reads the results.
          for (const start of starts) {
            f.set(start, i32.add(p.base, cursor.at));
            f.if(i32.gt(left, 1), () => cursor.advance(i32.const(1)));
            f.increment(left, -1);
          }
          eachTap(() => {
            starts.forEach((start, lane) => {
              f.store(to, scalar.load(i32.add(start, i32.load(tap))), lane * bytes);
            });
          });
        },
      );
    };
    f.while(
      () => i32.gt(left, 0),
      () => {
        f.for(half, 0, panelBytes, 16, () => {
          f.if(i32.gt(left, 0), packHalf);
        });
        f.increment(p.to, i32.mul(p.taps, panelBytes));
      },
    );
  });
}

function definePackTaps(assembler: Assembler, float: FloatType): void {
  const { lanes, scalar, bytes } = float;
  const width = tileColumns(float);
  assembler.function('packTaps', params, null, (f, p) => {
    const cursor = new Cursor(f, p);
    const [left, inRow, at] = [f.i32(), f.i32(), f.i32()];
    const lines = Array.from({ length: width }, () => f.i32());
    const { vectors, transpose } = squareOf(f, bytes);
    const isDense = f.i32(i32.eq(p.step, bytes));
    f.while(
      () => i32.gt(p.taps, 0),
      () => {
        // What is beyond the last tap repeats it; nobody reads the results.
        for (const line of lines) {
          f.set(line, i32.add(p.base, i32.load(p.offsets)));
          f.if(i32.gt(p.taps, 1), () => f.increment(p.offsets, 4));
          f.increment(p.taps, -1);
        }
        cursor.reset();
        f.set(left, p.count);
        f.while(
          () => left,
          () => {
            f.set(inRow, cursor.leftInRow());
            f.if(i32.gt(inRow, left), () => f.set(inRow, left));
            f.set(left, i32.sub(left, inRow));
            f.set(at, cursor.at);
            cursor.advance(inRow);
            f.if(isDense, () => {
              f.while(
                () => i32.ge(inRow, lanes.count),
                () => {
                  for (let done = 0; done < width; done += lanes.count) {
                    vectors.forEach((vector, k) => f.set(vector, lanes.load(i32.add(lines[done + k]!, at))));
                    transpose().forEach((row, k) => f.store(p.to, row, (k * width + done) * bytes));
                  }
                  f.increment(p.to, lanes.count * width * bytes);
                  f.increment(at, 16);
                  f.increment(inRow, -lanes.count);
                },
              );
            });
            f.repeat(inRow, () => {
              lines.forEach((line, k) => f.store(p.to, scalar.load(i32.add(line, at)), k * bytes));
              f.increment(p.to, width * bytes);
              f.increment(at, p.step);
            });
          },
        );
      },
    );
  });
}

/** Defines what walks through an image, from `to` on, and a dense matrix of its patches, from `base` on, together. */
function defineWalk(
  assembler: Assembler,
  { lanes, bytes }: FloatType,
  name: 'addPatches' | 'copyPatches',
  vector: (f: FunctionBuilder, image: Local<'i32'>, matrix: Local<'i32'>, offset: number) => void,
  element: (f: FunctionBuilder, image: Local<'i32'>, matrix: Local<'i32'>) => void,
): void {
  assembler.function(name, params, null, (f, p) => {
    const cursor = new Cursor(f, p);
    const [left, inRow, image, base] = [f.i32(), f.i32(), f.i32(), f.i32()];
    const isDense = f.i32(i32.eq(p.step, bytes));
    f.repeat(p.taps, () => {
      f.set(base, i32.add(p.to, i32.load(p.offsets)));
      cursor.reset();
      f.set(left, p.count);
      f.while(
        () => left,
        () => {
          f.set(inRow, cursor.leftInRow());
          f.if(i32.gt(inRow, left), () => f.set(inRow, left));
          f.set(left, i32.sub(left, inRow));
          f.set(image, i32.add(base, cursor.at));
          cursor.advance(inRow);
          const vectors = (together: number): void => {
            f.while(
              () => i32.ge(inRow, together * lanes.count),
              () => {
                for (let k = 0; k < together; k++) vector(f, image, p.base, k * 16);
                f.increment(image, together * 16);
                f.increment(p.base, together * 16);
                f.increment(inRow, -together * lanes.count);
              },
            );
          };
          f.if(isDense, () => {
            vectors(4);
            vectors(1);
          });
          f.repeat(inRow, () => {
            element(f, image, p.base);
            f.increment(image, p.step);
            f.increment(p.base, bytes);
          });
        },
      );
      f.increment(p.offsets, 4);
    });
  });
}

/** The kernels on patches of a floating-point type. */
export const patchKernels: (dtype: 'float32' | 'float64') => PatchKernels = perFloatType(build);
