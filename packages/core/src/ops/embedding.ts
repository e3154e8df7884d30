import { checkIndex, requireIntegers } from '../define/bounds.ts';
import { custom } from '../define/rules.ts';
import { empty, kernels } from '../dispatch.ts';
import { IndexError, ShapeError } from '../errors.ts';
import { denseLayout } from '../layout.ts';
import { checkOptions, none, type OptionNames } from '../option-names.ts';
import { shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** A row whose gradient is always 0; negative counts from the end. */
  paddingIdx?: number | null | undefined;
  /** Divide each row's gradient by how often it was looked up; default false. */
  scaleGradByFreq?: boolean | undefined;
}

const embeddingNames: OptionNames<EmbeddingOptions> = { paddingIdx: 1, scaleGradByFreq: 1 };

interface Lookup {
  readonly paddingIdx: number | null;
  readonly scaleGradByFreq: boolean;
}

const lookup = custom<Lookup>('embedding', {
  forward: ([weight, ids]) => {
    const width = weight!.shape[1]!;
    const flat = ids!.reshape([ids!.numel()]);
    const { storage, offset, dtype } = flat;
    const shape = [flat.shape[0]!, width];
    const rows = empty(shape, weight!.dtype);
    kernels().gather(rows, weight!, { storage, offset, shape, strides: [flat.strides[0]!, 0], dtype }, 0);
    return [new Tensor(rows.storage, 0, denseLayout([...ids!.shape, width], rows.dtype))];
  },
  savesInputs: [1],
  vjp(node, [g], { paddingIdx, scaleGradByFreq }, [weight]) {
    const ids = node.input(1).reshape([node.input(1).numel()]);
    let rows = g!.reshape([ids.shape[0]!, weight!.shape[1]!]);
    if (paddingIdx !== null) rows = rows.maskedFill(ids.eq(paddingIdx).unsqueeze(1), 0);
    if (scaleGradByFreq) {
      const ones = g!.newFull([], 1).detach().expand(ids.shape);
      const counts = g!.newZeros([weight!.shape[0]!]).scatterAdd(0, ids, ones);
      rows = rows.div(counts.indexSelect(0, ids).unsqueeze(1));
    }
    return [g!.newZeros(weight!.shape).indexAdd(0, ids, rows), null];
  },
});

/**
 * The rows of a weight matrix that ids name.
 * @shape ids of any shape, weight [count, dim] -> [...ids, dim]
 * @derivative added up per row; 0 for the padding row
 * @throws IndexError when an id is not a row
 * @source torch.nn.functional.embedding
 */
export function embedding(ids: Tensor, weight: Tensor, options: EmbeddingOptions = none): Tensor {
  checkOptions('embedding', options, embeddingNames);
  requireIntegers('embedding', ids, 'ids');
  if (weight.ndim !== 2) {
    throw new ShapeError(`embedding: the weight must be [count, dim], got ${shapeString(weight.shape)}`, {
      op: 'embedding',
      argument: 'weight',
      shapes: [weight.shape],
    });
  }
  const count = weight.shape[0]!;
  const given = options.paddingIdx ?? null;
  if (given !== null && (!Number.isInteger(given) || given < -count || given >= count)) {
    throw new IndexError(`embedding: paddingIdx ${given} is out of bounds for a weight of ${count} rows`, {
      op: 'embedding',
      argument: 'paddingIdx',
    });
  }
  const paddingIdx = given !== null && given < 0 ? given + count : given;
  const index = checkIndex('embedding', ids, count, 0, 'ids');
  return lookup([weight, index], { paddingIdx, scaleGradByFreq: options.scaleGradByFreq === true })[0]!;
}

/**
 * A 1 at the place that each class label names, 0 elsewhere, as int32.
 * @param numClasses size of the new last dimension; -1 (default) takes the largest label and 1
 * @shape any -> [..., numClasses]
 * @throws IndexError when a label is negative or not below numClasses
 * @source torch.nn.functional.one_hot
 */
export function oneHot(labels: Tensor, numClasses = -1): Tensor {
  requireIntegers('oneHot', labels, 'labels');
  if (numClasses === -1 && labels.numel() === 0) {
    throw new ShapeError('oneHot: numClasses must be given when there are no labels', { op: 'oneHot', argument: 'numClasses' });
  }
  const index = labels.to('int32');
  const count = numClasses === -1 ? index.max().item() + 1 : numClasses;
  checkIndex('oneHot', index, count, labels.ndim, 'labels');
  return index.newZeros([...labels.shape, count]).scatter(labels.ndim, index.unsqueeze(-1), 1);
}
