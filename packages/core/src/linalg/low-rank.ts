import { ValueError } from '../errors.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { randn } from '../random.ts';
import { shapeString } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { requireMatrices } from './matrices.ts';
import { qr } from './qr.ts';
import { svd } from './svd.ts';

/** How a decomposition of low rank is computed. */
export interface LowRankOptions {
  /** How often the space is refined; default 2. */
  niter?: number | undefined;
  /** A matrix, or row, that is subtracted first. */
  M?: Tensor | null | undefined;
}

const lowRankNames: OptionNames<LowRankOptions> = { niter: 1, M: 1 };

/** Singular vectors as columns, and singular values in falling order. */
export interface LowRankParts {
  readonly U: Tensor;
  readonly S: Tensor;
  readonly V: Tensor;
}

/** Orthonormal columns that nearly span what a random combination of the columns of a does. */
function approximateBasis(a: Tensor, q: number, niter: number): Tensor {
  const sketch = randn([a.shape.at(-1)!, q], { dtype: a.dtype });
  let basis = qr(a.matmul(sketch)).Q;
  for (let i = 0; i < niter; i++) basis = qr(a.matmul(qr(a.mT.matmul(basis)).Q)).Q;
  return basis;
}

/**
 * The q largest singular values and their vectors, nearly: those of a in a random subspace (Halko, Martinsson and
 * Tropp 2011), for matrices whose rank is about q.
 * @shape [..., m, n] -> [..., m, q], [..., q], [..., n, q]
 * @param q at most min(m, n); default 6
 * @throws ValueError for another q
 * @source torch.svd_lowrank
 */
export function svdLowrank(a: Tensor, q = 6, options: LowRankOptions = none): LowRankParts {
  checkOptions('svdLowrank', options, lowRankNames);
  const op = 'svdLowrank';
  const { niter = 2, M } = options;
  requireMatrices(op, a);
  const rank = Math.min(...a.shape.slice(-2));
  if (!Number.isInteger(q) || q < 0 || q > rank) {
    throw new ValueError(
      `${op}: q must be a whole number from 0 to ${rank}, the smaller size of ${shapeString(a.shape)}, got ${q}`,
      { op, argument: 'q' },
    );
  }
  const x = M === undefined || M === null ? a : a.sub(M);
  const [m, n] = x.shape.slice(-2) as [number, number];
  // The basis is taken on the side on which what is left is smaller.
  if (m < n || n > q) {
    const basis = approximateBasis(x.mT, q, niter);
    const { U, S, Vh } = svd(x.matmul(basis), { fullMatrices: false });
    return { U, S, V: basis.matmul(Vh.mT) };
  }
  const basis = approximateBasis(x, q, niter);
  const { U, S, Vh } = svd(basis.mT.matmul(x), { fullMatrices: false });
  return { U: basis.matmul(U), S, V: Vh.mT };
}

/** How principal components are computed. */
export interface PcaOptions {
  /** Take the mean of each column off first; default true. */
  center?: boolean | undefined;
  /** How often the space is refined; default 2. */
  niter?: number | undefined;
}

const pcaNames: OptionNames<PcaOptions> = { center: 1, niter: 1 };

/**
 * The q main principal components of the rows of a, nearly: `svdLowrank` of a without its column means.
 * @param q default min(6, m, n)
 * @source torch.pca_lowrank
 */
export function pcaLowrank(a: Tensor, q?: number | null, options: PcaOptions = none): LowRankParts {
  checkOptions('pcaLowrank', options, pcaNames);
  requireMatrices('pcaLowrank', a);
  const { center = true, niter } = options;
  const count = q ?? Math.min(6, ...a.shape.slice(-2));
  return svdLowrank(center ? a.sub(a.mean(-2, { keepdim: true })) : a, count, { niter });
}
