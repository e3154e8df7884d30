import { FormatError, quote } from './errors.ts';
import type { NamedTensors } from './tensors.ts';

/** More differences than this are only counted. */
const SHOWN = 3;

/**
 * Checks that tensors from a file are those of a model: the same names, shapes and dtypes.
 *
 * @param found what the file holds
 * @param expected the model's `stateDict()`
 * @throws FormatError with one sentence that names the first differences
 */
export function checkModelState(found: NamedTensors, expected: NamedTensors): void {
  const differences = [...describe(found, expected)];
  if (differences.length === 0) return;
  const rest = differences.length - SHOWN;
  const more = rest > 0 ? [`and ${rest} more`] : [];
  throw new FormatError(
    `The file is of another model: ${[...differences.slice(0, SHOWN), ...more].join('; ')}.`,
  );
}

function* describe(found: NamedTensors, expected: NamedTensors): Iterable<string> {
  for (const [name, own] of Object.entries(expected)) {
    const other = Object.hasOwn(found, name) ? found[name] : undefined;
    if (other === undefined) yield `${quote(name)} [${own.shape.join(', ')}] is missing`;
    else if (own.shape.join() !== other.shape.join()) {
      yield `${quote(name)} is [${other.shape.join(', ')}] instead of [${own.shape.join(', ')}]`;
    } else if (own.dtype !== other.dtype) yield `${quote(name)} is ${other.dtype} instead of ${own.dtype}`;
  }
  for (const name of Object.keys(found)) {
    if (!Object.hasOwn(expected, name)) yield `${quote(name)} is unknown to this model`;
  }
}
