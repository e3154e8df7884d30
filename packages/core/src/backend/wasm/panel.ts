import { Assembler, type Callable, type FunctionBuilder, i32, type Local } from './assembler.ts';
import type { FloatType } from './floats.ts';
import { squareOf } from './square.ts';

const CACHE_LINE = 64;

const params = { to: 'i32', from: 'i32', kStep: 'i32', lineStep: 'i32', k: 'i32', lines: 'i32' } as const;
type PackLocals = { readonly [name in keyof typeof params]: Local<'i32'> };

/**
 * Defines a function that packs lines of a matrix (rows of the left operand or columns of the right one) into
 * panels of `width` lines, in which the elements of one k lie side by side; zeros fill up the last panel.
 * The element (line, k) is at `from + line * lineStep + k * kStep`, steps in bytes.
 */
export function definePacking(
  assembler: Assembler,
  float: FloatType,
  width: number,
  name: string | null,
): Callable<null> {
  const panelBytes = width * float.bytes;
  // As many panels as share the cache lines of neighbouring elements are packed together.
  const together = Math.max(1, Math.round(CACHE_LINE / panelBytes));
  return assembler.function(name, params, null, (f, p) => {
    const to = f.i32();
    const from = f.i32();
    const left = f.i32();
    const others = Array.from({ length: together - 1 }, () => f.i32());
    const moveOn = (panels: number): void => {
      f.increment(p.to, i32.mul(p.k, panels * panelBytes));
      f.increment(p.from, i32.mul(p.lineStep, panels * width));
      f.increment(p.lines, -panels * width);
    };
    f.if(i32.eq(p.lineStep, float.bytes), () => {
      f.while(
        () => i32.ge(p.lines, together * width),
        () => {
          f.set(from, p.from);
          f.set(left, p.k);
          const panels = [p.to, ...others];
          f.set(to, p.to);
          others.forEach((other, k) => f.set(other, i32.add(panels[k]!, i32.mul(p.k, panelBytes))));
          packDenseLines(f, float, width, p, [to, ...others], from, left);
          moveOn(together);
        },
      );
    });
    f.while(
      () => i32.gt(p.lines, 0),
      () => {
        f.set(to, p.to);
        f.set(from, p.from);
        f.set(left, p.k);
        f.if(i32.ge(p.lines, width), () => {
          f.if(i32.eq(p.lineStep, float.bytes), () => packDenseLines(f, float, width, p, [to], from, left));
          f.if(i32.eq(p.kStep, float.bytes), () => packSquares(f, float, width, p, to, from, left));
        });
        packScalars(f, float, width, p, to, from, left);
        moveOn(1);
      },
    );
  });
}

/** Lines side by side in memory: each k is one piece of memory, which goes to one or more panels. */
function packDenseLines(
  f: FunctionBuilder,
  { lanes, scalar, bytes }: FloatType,
  width: number,
  p: PackLocals,
  panels: readonly Local<'i32'>[],
  from: Local<'i32'>,
  left: Local<'i32'>,
): void {
  f.while(
    () => i32.gt(left, 0),
    () => {
      panels.forEach((to, panel) => {
        const first = panel * width;
        let line = 0;
        for (; line + lanes.count <= width; line += lanes.count) {
          f.store(to, lanes.load(from, (first + line) * bytes), line * bytes);
        }
        for (; line < width; line++) f.store(to, scalar.load(from, (first + line) * bytes), line * bytes);
        f.increment(to, width * bytes);
      });
      f.increment(from, p.kStep);
      f.increment(left, -1);
    },
  );
}

/** Each line dense in k: squares of lanes are transposed in registers. */
function packSquares(
  f: FunctionBuilder,
  { lanes, bytes }: FloatType,
  width: number,
  p: PackLocals,
  to: Local<'i32'>,
  from: Local<'i32'>,
  left: Local<'i32'>,
): void {
  const { count } = lanes;
  const { vectors, transpose } = squareOf(f, bytes);
  const line = f.i32();
  f.while(
    () => i32.ge(left, count),
    () => {
      f.set(line, from);
      let done = 0;
      for (; done + count <= width; done += count) {
        for (const vector of vectors) {
          f.set(vector, lanes.load(line));
          f.increment(line, p.lineStep);
        }
        transpose().forEach((row, k) => f.store(to, row, (k * width + done) * bytes));
      }
      for (; done < width; done++) {
        f.set(vectors[0]!, lanes.load(line));
        f.increment(line, p.lineStep);
        for (let k = 0; k < count; k++) f.storeLane(bytes, k, to, vectors[0]!, (k * width + done) * bytes);
      }
      f.increment(to, width * count * bytes);
      f.increment(from, 16);
      f.increment(left, -count);
    },
  );
}

/** Any steps and any number of lines, element by element. */
function packScalars(
  f: FunctionBuilder,
  { scalar, bytes }: FloatType,
  width: number,
  p: PackLocals,
  to: Local<'i32'>,
  from: Local<'i32'>,
  left: Local<'i32'>,
): void {
  const line = f.i32();
  const at = f.i32();
  f.while(
    () => i32.gt(left, 0),
    () => {
      f.set(at, from);
      f.for(line, 0, width, 1, () => {
        f.if(
          i32.lt(line, p.lines),
          () => f.store(to, scalar.load(at)),
          () => f.store(to, scalar.const(0)),
        );
        f.increment(to, bytes);
        f.increment(at, p.lineStep);
      });
      f.increment(from, p.kStep);
      f.increment(left, -1);
    },
  );
}
