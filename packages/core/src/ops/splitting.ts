import { requireIntegers } from '../define/bounds.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { normalizeDim, shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** A number of pieces, or the positions at which they begin after the first. */
export type Sections = number | readonly number[] | Tensor;

function sectionsOf(op: string, given: Sections): number | readonly number[] {
  if (given instanceof Tensor) {
    requireIntegers(op, given, 'sections');
    if (given.ndim > 1) {
      throw new ShapeError(
        `${op}: sections must be a number or a vector, got ${shapeString(given.shape)}`,
        { op },
      );
    }
    return given.ndim === 0 ? given.item() : [...given.toTypedArray()];
  }
  const list = typeof given === 'number' ? [given] : given;
  if (!Array.isArray(list) || list.some((n) => !Number.isInteger(n))) {
    throw new ValueError(`${op}: sections must be a whole number or an array of them, got ${JSON.stringify(given)}`, {
      op,
      argument: 'sections',
    });
  }
  return given;
}

function cut(op: string, x: Tensor, sections: number | readonly number[], dim: number): Tensor[] {
  const size = x.shape[dim]!;
  let starts: readonly number[];
  if (typeof sections === 'number') {
    if (sections < 1) {
      throw new ValueError(
        `${op}: the number of sections must be at least 1, got ${sections}`,
        { op, argument: 'sections' },
      );
    }
    // The first few are longer by one, where it does not come out even.
    const [length, longer] = [Math.floor(size / sections), size % sections];
    starts = Array.from({ length: sections - 1 }, (_, i) => (i + 1) * length + Math.min(i + 1, longer));
  } else starts = sections;
  return [...starts, null].map((end, i) => x.slice(dim, i === 0 ? 0 : starts[i - 1]!, end));
}

/**
 * Views of the pieces between positions along a dimension, as Python's slices [:a], [a:b], …; or of so many pieces,
 * the first of which are longer by one if it does not come out even.
 * @throws ValueError when the sections are not whole numbers; ShapeError for a scalar
 * @example
 * const pieces = tg.arange(5).tensorSplit(3);
 * console.log(pieces.map((x) => x.toArray())); // → [ [ 0, 1 ], [ 2, 3 ], [ 4 ] ]
 * @source torch.tensor_split
 */
export function tensorSplit(x: Tensor, sections: Sections, dim = 0): Tensor[] {
  if (x.ndim === 0) throw new ShapeError('tensorSplit: a scalar cannot be split', { op: 'tensorSplit' });
  const d = normalizeDim('tensorSplit', dim, x.ndim);
  return cut('tensorSplit', x, sectionsOf('tensorSplit', sections), d);
}

function splitEvenly(op: string, x: Tensor, given: Sections, dim: number, leastRank: number): Tensor[] {
  if (x.ndim < leastRank) {
    throw new ShapeError(
      `${op}: the tensor must have at least ${leastRank} dimension${leastRank === 1 ? '' : 's'}, got ${shapeString(x.shape)}`,
      { op, shapes: [x.shape] },
    );
  }
  const sections = sectionsOf(op, given);
  if (typeof sections === 'number' && !(sections > 0 && x.shape[dim]! % sections === 0)) {
    throw new ValueError(
      `${op}: dim ${dim} of ${shapeString(x.shape)} does not divide into ${sections} equal pieces; tensorSplit makes unequal ones`,
      { op, argument: 'sections', shapes: [x.shape] },
    );
  }
  return cut(op, x, sections, dim);
}

/** Pieces side by side: along dimension 1, or 0 for a vector. @throws ValueError when they would be unequal @source torch.hsplit */
export function hsplit(x: Tensor, sections: Sections): Tensor[] {
  return splitEvenly('hsplit', x, sections, x.ndim === 1 ? 0 : 1, 1);
}

/** Pieces one below the other, along dimension 0. @throws ValueError when they would be unequal @source torch.vsplit */
export function vsplit(x: Tensor, sections: Sections): Tensor[] {
  return splitEvenly('vsplit', x, sections, 0, 2);
}

/** Pieces one behind the other, along dimension 2. @throws ValueError when they would be unequal @source torch.dsplit */
export function dsplit(x: Tensor, sections: Sections): Tensor[] {
  return splitEvenly('dsplit', x, sections, 2, 3);
}
