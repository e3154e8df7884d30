import { cat, pad, requireOptions, ShapeError, tensor, type Tensor, ValueError } from '@tapegrad/core';
import { requireOneOf } from './named.ts';

/**
 * Sequences of different lengths without padding: the first elements of all sequences, then the second ones
 * of those
 * that have them, and so on, with the longest sequence first.
 * @source torch.nn.utils.rnn.PackedSequence
 */
export class PackedSequence {
  /** @shape [number of elements of all sequences, …] */
  readonly data: Tensor;
  /** How many sequences have a first element, a second, …. */
  readonly batchSizes: readonly number[];
  /** The place that each sequence of `data` had before they were sorted; null if they were. */
  readonly sortedIndices: readonly number[] | null;
  /** Where each sequence went when they were sorted; null if they were. */
  readonly unsortedIndices: readonly number[] | null;

  constructor(data: Tensor, batchSizes: readonly number[], sortedIndices: readonly number[] | null = null) {
    const total = batchSizes.reduce((sum, n) => sum + n, 0);
    if (data.ndim === 0 || data.shape[0] !== total) {
      throw new ShapeError(
        `PackedSequence: the batch sizes [${batchSizes.join(', ')}] stand for ${total} elements, but the data is ` +
          `[${data.shape.join(', ')}]`,
        { shapes: [data.shape] },
      );
    }
    this.data = data;
    this.batchSizes = [...batchSizes];
    this.sortedIndices = sortedIndices;
    this.unsortedIndices = sortedIndices === null ? null : inverse(sortedIndices);
  }

  /** The same lengths with other data, row for row. */
  withData(data: Tensor): PackedSequence {
    return new PackedSequence(data, this.batchSizes, this.sortedIndices);
  }
}

function inverse(order: readonly number[]): number[] {
  const places = new Array<number>(order.length);
  order.forEach((from, to) => (places[from] = to));
  return places;
}

/** The slices of a tensor along a dimension in another order. */
export function reordered(x: Tensor, dim: number, order: readonly number[] | null): Tensor {
  return order === null ? x : x.indexSelect(dim, tensor(Int32Array.from(order), { dtype: 'int32' }));
}

/** Options of `packPaddedSequence`. */
export interface PackOptions {
  /** Whether the batch is the first dimension; default false: it is the second, behind time. */
  batchFirst?: boolean | undefined;
  /**
   * Insist that the lengths fall; default true. With false the sequences are sorted, and put back by
   * `padPackedSequence`.
   */
  enforceSorted?: boolean | undefined;
}

/**
 * Packs padded sequences.
 * @param lengths of the sequences, at least 1 each
 * @shape [T, N, …], or [N, T, …] with batchFirst
 * @throws ValueError when the lengths do not fall and are to be sorted by you, or are not possible
 * @source torch.nn.utils.rnn.pack_padded_sequence
 */
export function packPaddedSequence(
  x: Tensor,
  lengths: readonly number[] | Tensor,
  options: PackOptions = {},
): PackedSequence {
  const op = 'packPaddedSequence';
  requireOptions(op, options, ['batchFirst', 'enforceSorted']);
  const { batchFirst = false, enforceSorted = true } = options;
  if (x.ndim < 2)
    throw new ShapeError(`${op}: expected time and batch in front, got [${x.shape.join(', ')}]`, {
      op,
      shapes: [x.shape],
    });
  const given = Array.isArray(lengths)
    ? [...(lengths as readonly number[])]
    : [...(lengths as Tensor).toTypedArray()];
  const timeFirst = batchFirst ? x.transpose(0, 1) : x;
  const [steps, batch] = timeFirst.shape as [number, number];
  if (given.length !== batch || given.some((n) => !(Number.isInteger(n) && n > 0 && n <= steps))) {
    throw new ValueError(
      `${op}: the lengths must be ${batch} numbers from 1 to ${steps}, got [${given.join(', ')}]`,
      {
        op,
        argument: 'lengths',
      },
    );
  }
  if (enforceSorted && given.some((n, i) => i > 0 && n > given[i - 1]!)) {
    throw new ValueError(
      `${op}: the lengths [${given.join(', ')}] must fall, the longest first; sort the sequences, or set enforceSorted to false`,
      { op, argument: 'lengths' },
    );
  }
  const order = given.map((_, i) => i);
  if (!enforceSorted) order.sort((a, b) => given[b]! - given[a]!);
  const sorted = order.map((i) => given[i]!);
  const batchSizes = Array.from({ length: sorted[0] ?? 0 }, (_, t) => sorted.filter((n) => n > t).length);
  // Element t of sequence n lies in row t · N + n of the padded data.
  const rows = batchSizes.flatMap((size, t) => order.slice(0, size).map((n) => t * batch + n));
  const flat = timeFirst.reshape([steps * batch, ...timeFirst.shape.slice(2)]);
  return new PackedSequence(reordered(flat, 0, rows), batchSizes, enforceSorted ? null : order);
}

/** Options of `padPackedSequence`. */
export interface PadPackedOptions {
  /** Whether the batch becomes the first dimension; default false. */
  batchFirst?: boolean | undefined;
  /** What fills up; default 0. */
  paddingValue?: number | undefined;
  /** Length of the result; default that of the longest sequence. */
  totalLength?: number | null | undefined;
}

/**
 * Pads packed sequences again.
 * @returns the padded sequences, in the order in which they were packed, and their lengths
 * @throws ValueError when totalLength is less than the longest sequence
 * @source torch.nn.utils.rnn.pad_packed_sequence
 */
export function padPackedSequence(
  packed: PackedSequence,
  options: PadPackedOptions = {},
): [padded: Tensor, lengths: Tensor] {
  const op = 'padPackedSequence';
  requireOptions(op, options, ['batchFirst', 'paddingValue', 'totalLength']);
  const { batchFirst = false, paddingValue = 0 } = options;
  const { data, batchSizes, unsortedIndices } = packed;
  const steps = batchSizes.length;
  const batch = batchSizes[0] ?? 0;
  const total = options.totalLength ?? steps;
  if (total < steps) {
    throw new ValueError(
      `${op}: totalLength ${total} is less than the length ${steps} of the longest sequence`,
      {
        op,
        argument: 'totalLength',
      },
    );
  }
  const rest = data.shape.slice(1);
  const starts = batchSizes.map((_, t) => batchSizes.slice(0, t).reduce((sum, n) => sum + n, 0));
  const order = unsortedIndices ?? Array.from({ length: batch }, (_, n) => n);
  // One row of padding stands behind the data.
  const padding = data
    .detach()
    .newZeros([1, ...rest])
    .fill_(paddingValue);
  const rows = Array.from({ length: total }, (_, t) =>
    order.map((n) => (t < steps && n < batchSizes[t]! ? starts[t]! + n : data.shape[0]!)),
  );
  const timeFirst = reordered(cat([data, padding]), 0, rows.flat()).reshape([total, batch, ...rest]);
  const lengths = Int32Array.from(order, (n) => batchSizes.filter((size) => n < size).length);
  return [batchFirst ? timeFirst.transpose(0, 1) : timeFirst, tensor(lengths, { dtype: 'int32' })];
}

/** Options of `padSequence`. */
export interface PadSequenceOptions {
  /** Whether the batch becomes the first dimension; default false. */
  batchFirst?: boolean | undefined;
  /** What fills up; default 0. */
  paddingValue?: number | undefined;
  /** Where it does; default 'right'. */
  paddingSide?: 'right' | 'left' | undefined;
}

/**
 * Sequences of different lengths in one tensor, filled up to that of the longest.
 * @shape [L, …] each -> [T, N, …], or [N, T, …] with batchFirst
 * @throws ShapeError when the sequences differ beyond their lengths
 * @source torch.nn.utils.rnn.pad_sequence
 */
export function padSequence(sequences: readonly Tensor[], options: PadSequenceOptions = {}): Tensor {
  const op = 'padSequence';
  requireOptions(op, options, ['batchFirst', 'paddingValue', 'paddingSide']);
  const { batchFirst = false, paddingValue = 0, paddingSide = 'right' } = options;
  requireOneOf(op, 'paddingSide', paddingSide, ['right', 'left']);
  const longest = Math.max(0, ...sequences.map(({ shape }) => shape[0] ?? 0));
  const padded = sequences.map((x) => {
    const missing = longest - (x.shape[0] ?? 0);
    const margins = x.shape.slice(1).flatMap(() => [0, 0]);
    const ends = paddingSide === 'left' ? [missing, 0] : [0, missing];
    return pad(x, [...margins, ...ends], { value: paddingValue }).unsqueeze(batchFirst ? 0 : 1);
  });
  return cat(padded, batchFirst ? 0 : 1);
}

/**
 * Takes padded sequences apart again.
 * @shape [T, N, …], or [N, T, …] with batchFirst -> [L, …] each
 * @source torch.nn.utils.rnn.unpad_sequence
 */
export function unpadSequence(
  x: Tensor,
  lengths: readonly number[] | Tensor,
  options: { batchFirst?: boolean } = {},
): Tensor[] {
  requireOptions('unpadSequence', options, ['batchFirst']);
  const given = Array.isArray(lengths)
    ? [...(lengths as readonly number[])]
    : [...(lengths as Tensor).toTypedArray()];
  return given.map((length, n) => x.select(options.batchFirst === true ? 0 : 1, n).narrow(0, 0, length));
}

/** Packs sequences of different lengths. @source torch.nn.utils.rnn.pack_sequence */
export function packSequence(
  sequences: readonly Tensor[],
  options: { enforceSorted?: boolean } = {},
): PackedSequence {
  requireOptions('packSequence', options, ['enforceSorted']);
  const lengths = sequences.map(({ shape }) => shape[0] ?? 0);
  return packPaddedSequence(padSequence(sequences), lengths, { enforceSorted: options.enforceSorted });
}

/**
 * Takes packed sequences apart, in the order in which they were packed.
 * @source torch.nn.utils.rnn.unpack_sequence
 */
export function unpackSequence(packed: PackedSequence): Tensor[] {
  const [padded, lengths] = padPackedSequence(packed);
  return unpadSequence(padded, lengths);
}
