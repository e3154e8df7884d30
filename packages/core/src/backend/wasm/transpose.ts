import { type Assembler, f32x4, type FunctionBuilder, i32, type Value } from './assembler.ts';
import { squareOf } from './square.ts';

/** Columns of x that are visited together, so that few pages of memory are in use at a time. */
const STRIP = 64;
/** Bytes of a column that are taken at a time: a cache line, which may be gone when it is visited again. */
const LINE = 64;

/**
 * Defines `transpose`: out[i, j] = x[j, i], where rows of out and columns of x are dense.
 * @param element copies one element
 */
export function defineTranspose(
  assembler: Assembler,
  bytes: 4 | 8,
  element: (f: FunctionBuilder, out: Value<'i32'>, x: Value<'i32'>) => void,
): void {
  const count = 16 / bytes;
  const matrices = { out: 'i32', x: 'i32', rows: 'i32', columns: 'i32' } as const;
  const strides = { outStride: 'i32', xStride: 'i32' } as const;
  assembler.function('transpose', { ...matrices, ...strides }, null, (f, p) => {
    const [strip, stripEnd, i, j, outAt, xAt] = [f.i32(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32()];
    const columns = Array.from({ length: count }, () => f.i32());
    const { vectors, transpose } = squareOf(f, bytes);
    /** Sets the pointers to element (i, j) and visits the strip's columns in steps. */
    const eachColumn = (step: number, body: () => void): void => {
      f.for(j, j, i32.sub(stripEnd, step - 1), step, () => {
        f.set(outAt, i32.add(p.out, i32.add(i32.mul(i, p.outStride), i32.mul(j, bytes))));
        f.set(xAt, i32.add(p.x, i32.add(i32.mul(j, p.xStride), i32.mul(i, bytes))));
        body();
      });
    };
    /** Goes down the rows from where i is, so many at a time. */
    const eachRows = (rows: number): void => {
      f.for(i, i, i32.sub(p.rows, rows - 1), rows, () => {
        f.set(j, strip);
        if (rows >= count) {
          eachColumn(count, () => {
            columns.forEach((column, k) => {
              f.set(column, k === 0 ? xAt : i32.add(columns[k - 1]!, p.xStride));
            });
            for (let row = 0; row < rows; row += count) {
              vectors.forEach((vector, k) => f.set(vector, f32x4.load(columns[k]!, row * bytes)));
              for (const vector of transpose()) {
                f.store(outAt, vector);
                f.increment(outAt, p.outStride);
              }
            }
          });
        }
        eachColumn(1, () => {
          f.repeat(rows, () => {
            element(f, outAt, xAt);
            f.increment(outAt, p.outStride);
            f.increment(xAt, bytes);
          });
        });
      });
    };
    f.for(strip, 0, p.columns, STRIP, () => {
      f.set(stripEnd, i32.add(strip, STRIP));
      f.if(i32.gt(stripEnd, p.columns), () => f.set(stripEnd, p.columns));
      f.set(i, i32.const(0));
      for (const rows of [LINE / bytes, count, 1]) eachRows(rows);
    });
  });
}
