import { dtypeInfo, type TypedArray } from '../../dtype.ts';
import { numel } from '../../shape.ts';
import { hostArray } from '../../storage.ts';
import type { Scan, Strided } from '../types.ts';
import { forLines } from './lines.ts';

/** Running fold along dim, with the position of the extreme (last of equals) when indices is given. */
export function scan(kind: Scan, out: Strided, indices: Strided | null, x: Strided, dim: number): void {
  if (numel(x.shape) === 0) return;
  const [to, from] = [hostArray(out.storage, out.dtype), hostArray(x.storage, x.dtype)];
  const size = x.shape[dim] ?? 1;
  const [outStep, xStep] = [out.strides[dim] ?? 0, x.strides[dim] ?? 0];
  if (kind === 'sum' || kind === 'prod') {
    const isInteger = dtypeInfo[out.dtype].category !== 2;
    forLines(dim, [out, x], ([outAt = 0, xAt = 0], lines, [outLine = 0, xLine = 0]) => {
      for (let line = 0; line < lines; line++) {
        const [o, p] = [outAt + line * outLine, xAt + line * xLine];
        accumulate(kind, isInteger, to, o, outStep, from, p, xStep, size);
      }
    });
    return;
  }
  const found = indices === null ? null : hostArray(indices.storage, 'int32');
  const indexStep = indices?.strides[dim] ?? 0;
  const sign = kind === 'max' ? 1 : -1;
  const operands = [out, x, indices ?? out];
  forLines(
    dim,
    operands,
    ([outAt = 0, xAt = 0, indexAt = 0], lines, [outLine = 0, xLine = 0, indexLine = 0]) => {
      for (let line = 0; line < lines; line++) {
        const [o, p, q] = [outAt + line * outLine, xAt + line * xLine, indexAt + line * indexLine];
        let best = from[p]!;
        let index = 0;
        for (let i = 0; i < size; i++) {
          const value = from[p + i * xStep]!;
          // NaN stays; a later NaN counts as its equal.
          if (Number.isNaN(value) || sign * value >= sign * best) {
            best = value;
            index = i;
          }
          to[o + i * outStep] = best;
          if (found !== null) found[q + i * indexStep] = index;
        }
      }
    },
  );
}

/** Sums and products of a line; floats in double precision, integers wrap around. */
function accumulate(
  kind: 'sum' | 'prod',
  isInteger: boolean,
  to: TypedArray,
  outAt: number,
  outStep: number,
  from: TypedArray,
  xAt: number,
  xStep: number,
  size: number,
): void {
  let total = kind === 'sum' ? 0 : 1;
  for (let i = 0; i < size; i++) {
    const value = from[xAt + i * xStep]!;
    if (kind === 'sum') total = isInteger ? (total + value) | 0 : total + value;
    else total = isInteger ? Math.imul(total, value) : total * value;
    to[outAt + i * outStep] = total;
  }
}
