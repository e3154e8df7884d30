import { DTypeError, IndexError, requireOptions, ShapeError, tensor, ValueError, type Tensor } from '@tapegrad/core';
import { embedding, lookupOptions, type LookupOptions } from './embedding.ts';

/** What is made of the rows of a bag. */
export type BagMode = 'sum' | 'mean' | 'max';

/** Options of `embeddingBag`. */
export interface EmbeddingBagOptions extends LookupOptions {
  /** Default 'mean'. */
  mode?: BagMode | undefined;
  /** Factor of each row, in the shape of the ids; for mode 'sum'. */
  perSampleWeights?: Tensor | null | undefined;
  /** Whether offsets end with the number of ids; default false. */
  includeLastOffset?: boolean | undefined;
}

/** Where the bags lie among the ids, and which ids count. */
interface Bags {
  readonly count: number;
  /** The bag of each id. */
  readonly of: Int32Array;
  /** Whether each id counts: all but those of padding. */
  readonly counted: Uint8Array;
  /** How many ids count in each bag. */
  readonly sizes: Int32Array;
}

const OP = 'embeddingBag';

/**
 * Sums, means or maxima of the rows of a weight matrix that bags of ids name.
 * @param offsets where each bag begins, for ids in one row; null if each row of a matrix of ids is a bag
 * @shape ids [B, L], or [L] with offsets [B]; weight [count, dim] -> [B, dim]
 * @derivative none for ids of padding, which count in no mean; an empty bag gives 0
 * @throws ShapeError, DTypeError, IndexError when ids, offsets, weights and matrix do not fit
 * @source torch.nn.functional.embedding_bag
 */
export function embeddingBag(
  ids: Tensor,
  weight: Tensor,
  offsets: Tensor | null = null,
  options: EmbeddingBagOptions = {},
): Tensor {
  requireOptions(OP, options, [...lookupOptions, 'mode', 'perSampleWeights', 'includeLastOffset']);
  const { mode = 'mean', perSampleWeights = null, includeLastOffset = false } = options;
  const { maxNorm, normType, scaleGradByFreq } = options;
  if (mode !== 'sum' && mode !== 'mean' && mode !== 'max') {
    throw new ValueError(`${OP}: mode must be 'sum', 'mean' or 'max', got '${String(mode)}'`, {
      op: OP,
      argument: 'mode',
    });
  }
  checkWeights(ids, mode, perSampleWeights);
  const flat = ids.reshape([ids.numel()]);
  const starts = startsOf(ids, offsets, includeLastOffset);
  // The padding row has no gradient, because it is taken out below.
  const rows = embedding(flat, weight, { maxNorm, normType, scaleGradByFreq });
  const bags = bagsOf(flat, starts, paddingOf(weight, options.paddingIdx ?? null));
  const width = weight.shape[1]!;
  if (flat.numel() === 0) return rows.sum(0, { keepdim: true }).expand([bags.count, width]).clone();
  if (mode === 'max') return maxima(rows, bags);
  const factors = tensor(Float64Array.from(bags.counted), { dtype: weight.dtype });
  const scale = perSampleWeights === null ? factors : factors.mul(perSampleWeights.reshape([flat.numel()]));
  const isPlain = perSampleWeights === null && bags.counted.every((counts) => counts === 1);
  const index = tensor(bags.of, { dtype: 'int32' });
  const sums = rows
    .detach()
    .newZeros([bags.count, width])
    .indexAdd(0, index, isPlain ? rows : rows.mul(scale.unsqueeze(1)));
  if (mode === 'sum') return sums;
  return sums.div(
    tensor(
      Float64Array.from(bags.sizes, (n) => Math.max(n, 1)),
      { dtype: weight.dtype },
    ).unsqueeze(1),
  );
}

function checkWeights(ids: Tensor, mode: BagMode, weights: Tensor | null): void {
  if (weights === null) return;
  if (mode !== 'sum')
    throw new ValueError(`${OP}: perSampleWeights are for mode 'sum', not '${mode}'`, { op: OP });
  if (weights.ndim !== ids.ndim || weights.shape.some((n, d) => n !== ids.shape[d])) {
    throw new ShapeError(
      `${OP}: perSampleWeights are [${weights.shape.join(', ')}], but the ids [${ids.shape.join(', ')}]`,
      {
        op: OP,
        argument: 'perSampleWeights',
        shapes: [weights.shape, ids.shape],
      },
    );
  }
}

function paddingOf(weight: Tensor, given: number | null): number | null {
  const count = weight.shape[0]!;
  if (given === null) return null;
  if (given >= -count && given < count) return given < 0 ? given + count : given;
  throw new IndexError(`${OP}: paddingIdx ${given} is out of bounds for a weight of ${count} rows`, {
    op: OP,
    argument: 'paddingIdx',
  });
}

/** Where each bag begins, with the end of the last behind. */
function startsOf(ids: Tensor, offsets: Tensor | null, includeLastOffset: boolean): number[] {
  if (ids.ndim === 2) {
    if (offsets !== null) {
      throw new ValueError(`${OP}: each row of a matrix of ids is a bag; offsets must be null`, {
        op: OP,
        argument: 'offsets',
      });
    }
    const [rows, length] = ids.shape as [number, number];
    return Array.from({ length: rows + 1 }, (_, i) => i * length);
  }
  if (ids.ndim !== 1 || offsets === null || offsets.ndim !== 1) {
    throw new ShapeError(
      `${OP}: the ids are [${ids.shape.join(', ')}] and the offsets ${offsets === null ? 'missing' : `[${offsets.shape.join(', ')}]`}; ` +
        'expected ids [B, L], or ids [L] with offsets [B]',
      { op: OP, shapes: [ids.shape] },
    );
  }
  if (offsets.isFloatingPoint() || offsets.dtype === 'bool') {
    throw new DTypeError(`${OP}: the offsets must be integers, got ${offsets.dtype}`, {
      op: OP,
      dtypes: [offsets.dtype],
    });
  }
  const given = [...offsets.toTypedArray()];
  const starts = includeLastOffset ? given : [...given, ids.numel()];
  const isRising = starts.every((start, i) => i === 0 || start >= starts[i - 1]!);
  // Without ids there may be no bags.
  const fewest = includeLastOffset || ids.numel() === 0 ? 1 : 2;
  if (
    starts.length < fewest ||
    (starts[0] ?? 0) !== 0 ||
    !isRising ||
    starts.at(-1)! > ids.numel()
  ) {
    throw new ValueError(
      `${OP}: the offsets [${given.join(', ')}] must rise from 0 to at most ${ids.numel()}, the number of ids`,
      {
        op: OP,
        argument: 'offsets',
      },
    );
  }
  // Ids behind a last offset belong to the last bag.
  if (includeLastOffset && starts.length > 1) starts[starts.length - 1] = ids.numel();
  return starts;
}

function bagsOf(ids: Tensor, starts: readonly number[], paddingIdx: number | null): Bags {
  const values = ids.toTypedArray();
  const count = Math.max(starts.length - 1, 0);
  const of = new Int32Array(values.length);
  const sizes = new Int32Array(count);
  const counted = new Uint8Array(values.length);
  for (let bag = 0; bag < count; bag++) {
    for (let i = starts[bag]!; i < starts[bag + 1]!; i++) {
      of[i] = bag;
      if (values[i] === paddingIdx) continue;
      counted[i] = 1;
      sizes[bag] = sizes[bag]! + 1;
    }
  }
  return { count, of, counted, sizes };
}

/** The largest element of each column of each bag: its rows beside each other, filled up with −∞. */
function maxima(rows: Tensor, { count, of, counted, sizes }: Bags): Tensor {
  const longest = Math.max(1, ...sizes);
  const places = new Int32Array(count * longest);
  const blank = new Uint8Array(count * longest).fill(1);
  const filled = new Int32Array(count);
  counted.forEach((counts, i) => {
    if (counts === 0) return;
    const bag = of[i]!;
    const at = bag * longest + filled[bag]!;
    places[at] = i;
    blank[at] = 0;
    filled[bag] = filled[bag]! + 1;
  });
  const width = rows.shape[1]!;
  const picked = rows.indexSelect(0, tensor(places, { dtype: 'int32' })).reshape([count, longest, width]);
  const isBlank = tensor(blank, { dtype: 'bool' }).reshape([count, longest, 1]);
  const isEmpty = tensor(
    Uint8Array.from(sizes, (n) => Number(n === 0)),
    { dtype: 'bool' },
  ).unsqueeze(1);
  return picked.maskedFill(isBlank, -Infinity).max(1).values.maskedFill(isEmpty, 0);
}
