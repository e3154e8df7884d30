import * as tg from '@tapegrad/core';
import type { Tensor, Unique } from '@tapegrad/core';
import type { PythonCall, Signature } from './signature.ts';
import { Unsupported } from './values.ts';

/** The parts of a result that the keywords ask for. */
const parts =
  (method: 'unique' | 'uniqueConsecutive'): Signature =>
  ({ input, kwargs }: PythonCall): unknown => {
    const { dim, return_inverse: inverse, return_counts: counts } = kwargs as Record<string, never>;
    const result: Unique = (input as Tensor)[method]({ dim });
    if (kwargs['sorted'] === false && !Number.isInteger(dim) && result.values.numel() > 1)
      throw new Unsupported('any order of the values');
    return [result.values, ...(inverse ? [result.inverse] : []), ...(counts ? [result.counts] : [])];
  };

/** `trapezoid(y, x)` or `trapezoid(y, dx=…)`. */
const trapezoidal =
  (rule: typeof tg.trapezoid): Signature =>
  ({ input, args, kwargs }: PythonCall): unknown => {
    const { x, dx, dim } = kwargs as Record<string, never>;
    return rule(input as Tensor, (args[0] as Tensor | undefined) ?? x ?? null, { dx, dim });
  };

/** Statistics, order and search that `signatures` takes in. */
export const statisticsSignatures: Readonly<Record<string, Signature>> = {
  bincount: 'weights, minlength => x.bincount({ weights, minlength })',
  bucketize: 'boundaries, out_int32, right => tg.bucketize(x, boundaries, { right, out_int32 })',
  corrcoef: 'x.corrcoef()',
  cov: 'correction, fweights, aweights => x.cov({ correction, fweights, aweights })',
  cumulative_trapezoid: trapezoidal(tg.cumulativeTrapezoid),
  diff: 'n, dim, prepend, append => x.diff(n, dim, { prepend, append })',
  dist: 'other, p => x.dist(other, p)',
  gradient: 'spacing, dim, edge_order => tg.gradient(x, { spacing, dim, edge_order })',
  histc: 'bins, min, max => x.histc(bins, min, max)',
  histogram: 'bins, range, weight, density => x.histogram(bins, { range, weight, density })',
  histogramdd: 'bins, range, weight, density => tg.histogramdd(x, bins, { range, weight, density })',
  kthvalue: 'k, dim, keepdim => x.kthvalue(k, dim, { keepdim })',
  logcumsumexp: 'dim => x.logcumsumexp(dim)',
  median: 'dim, keepdim => x.median(dim, { keepdim })',
  mode: 'dim, keepdim => x.mode(dim, { keepdim })',
  nanmean: 'dim, keepdim, dtype => x.nanmean(dim, { keepdim, dtype })',
  nanmedian: 'dim, keepdim => x.nanmedian(dim, { keepdim })',
  nanquantile: 'q, dim, keepdim, interpolation => x.nanquantile(q, dim, { keepdim, interpolation })',
  nansum: 'dim, keepdim, dtype => x.nansum(dim, { keepdim, dtype })',
  quantile: 'q, dim, keepdim, interpolation => x.quantile(q, dim, { keepdim, interpolation })',
  renorm: 'p, dim, maxnorm => x.renorm(p, dim, maxnorm)',
  searchsorted: 'values, out_int32, right, side, sorter => tg.searchsorted(x, values, { right, out_int32, side, sorter })',
  trapezoid: trapezoidal(tg.trapezoid),
  trapz: trapezoidal(tg.trapz),
  unique: parts('unique'),
  unique_consecutive: parts('uniqueConsecutive'),
};
