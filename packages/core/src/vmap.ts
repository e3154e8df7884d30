import { GradError, IndexError, ShapeError, TapegradError } from './errors.ts';
import { stack } from './ops/joining.ts';
import { checkOptions, none, type OptionNames } from './option-names.ts';
import { getRngState, setRngState } from './random.ts';
import { shapeString } from './shape.ts';
import { Tensor } from './tensor.ts';

/** Which dimension of a tensor is mapped over, null for none; or one such answer for each item of an array or object. */
export type InDims = number | null | readonly InDims[] | { readonly [name: string]: InDims };

/** How `vmap` maps. */
export interface VmapOptions {
  /** Per argument the dimension that is mapped over, null where an argument is the same for all; one answer serves all. Default 0. */
  inDims?: InDims;
  /** Where the mapped dimension goes in the results; one answer, or one per result. Default 0. */
  outDims?: number | readonly number[];
  /** Whether the function may draw random numbers: not at all (default), others for each sample, or the same for all. */
  randomness?: 'error' | 'different' | 'same';
}

const vmapNames: OptionNames<VmapOptions> = { inDims: 1, outDims: 1, randomness: 1 };

/**
 * The function that applies `fn` to every slice of its arguments and stacks what it gives. Runs `fn` once per slice, so that
 * ordinary code, `if` on values included, does what it says; nests, and composes with `grad`, `jvp` and the others.
 * @throws ShapeError when no argument is mapped over, or the sizes of mapped dimensions differ
 * @throws IndexError for a dimension that a tensor does not have
 * @throws TapegradError when `fn` draws random numbers and `randomness` does not say how
 * @throws GradError when `fn` changes an argument in place that is the same for all
 * @example
 * const dots = tg.func.vmap((a: tg.Tensor, b: tg.Tensor) => a.dot(b));
 * console.log(dots(tg.tensor([[1, 2], [3, 4]]), tg.tensor([[1, 1], [2, 2]])).toArray()); // → [ 3, 14 ]
 * @source torch.func.vmap
 */
export function vmap<A extends unknown[], R>(fn: (...args: A) => R, options: VmapOptions = none): (...args: A) => R {
  checkOptions('vmap', options, vmapNames);
  const { inDims = 0, outDims = 0, randomness = 'error' } = options;
  return (...args) => {
    const dims = Array.isArray(inDims) ? (inDims as readonly InDims[]) : args.map(() => inDims);
    if (dims.length !== args.length) {
      throw new ShapeError(`vmap: inDims has ${dims.length} entries for ${args.length} arguments`, { op: 'vmap', argument: 'inDims' });
    }
    const leaves = args.flatMap((arg, i) => leavesOf(arg, dims[i]!, `argument ${i}`));
    const size = commonSize(leaves);
    if (size === 0) throw new ShapeError('vmap: the mapped dimension has size 0, so the function can not be called', { op: 'vmap' });
    const watch = new Watch(leaves, randomness);
    const results = Array.from({ length: size }, (_, k) => {
      const result = fn(...(args.map((arg, i) => sliceOf(arg, dims[i]!, k)) as A));
      watch.after(k, size);
      return result;
    });
    return stacked(results, outDims) as R;
  };
}

/** A tensor among the arguments, and the dimension of it that is mapped over. */
interface Leaf {
  readonly x: Tensor;
  readonly dim: number | null;
  readonly name: string;
}

/** The dims of the items of an argument: their own, or the one that serves all. */
function itemDims(dims: InDims, key: string): InDims {
  return typeof dims === 'object' && dims !== null ? ((dims as Record<string, InDims>)[key] ?? null) : dims;
}

function isStructure(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Tensor);
}

function leavesOf(value: unknown, dims: InDims, name: string): Leaf[] {
  if (isStructure(value)) {
    return Object.entries(value).flatMap(([key, item]) => leavesOf(item, itemDims(dims, key), `${name}.${key}`));
  }
  if (!(value instanceof Tensor)) return [];
  if (typeof dims === 'object' && dims !== null) {
    throw new ShapeError(`vmap: inDims has a structure for ${name}, which is one tensor; give a number or null`, { op: 'vmap' });
  }
  if (dims !== null && !(Number.isInteger(dims) && dims >= -value.ndim && dims < value.ndim)) {
    throw new IndexError(`vmap: dimension ${dims} of ${name} is out of range for its shape ${shapeString(value.shape)}`, {
      op: 'vmap',
      argument: 'inDims',
      shapes: [value.shape],
    });
  }
  return [{ x: value, dim: dims, name }];
}

function commonSize(leaves: readonly Leaf[]): number {
  const mapped = leaves.filter(({ dim }) => dim !== null);
  if (mapped.length === 0) {
    throw new ShapeError('vmap: at least one argument must be a tensor that is mapped over; inDims is null for all of them', { op: 'vmap' });
  }
  const sizes = mapped.map(({ x, dim }) => x.size(dim!));
  const other = sizes.findIndex((size) => size !== sizes[0]);
  if (other > 0) {
    throw new ShapeError(
      `vmap: the mapped dimensions must have one size, but that of ${mapped[0]!.name} is ${sizes[0]} and that of ` +
        `${mapped[other]!.name} ${sizes[other]}`,
      { op: 'vmap', shapes: mapped.map(({ x }) => x.shape) },
    );
  }
  return sizes[0]!;
}

/** The k-th slice of what is mapped over, everything else as it is. */
function sliceOf(value: unknown, dims: InDims, k: number): unknown {
  if (value instanceof Tensor) return dims === null ? value : value.select(dims as number, k);
  if (!isStructure(value)) return value;
  if (Array.isArray(value)) return value.map((item, i) => sliceOf(item, itemDims(dims, String(i)), k));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sliceOf(item, itemDims(dims, key), k)]));
}

/** Results of all slices, one behind the other in a new dimension. */
function stacked(results: readonly unknown[], outDims: number | readonly number[]): unknown {
  const [first] = results;
  if (first instanceof Tensor) return stack(results as Tensor[], outDims as number);
  const dimOf = (i: number): number => (typeof outDims === 'number' ? outDims : (outDims[i] ?? 0));
  if (Array.isArray(first)) return first.map((_, i) => stacked(results.map((result) => (result as unknown[])[i]), dimOf(i)));
  if (isStructure(first)) {
    const keys = Object.keys(first);
    return Object.fromEntries(keys.map((key, i) => [key, stacked(results.map((result) => (result as typeof first)[key]), dimOf(i))]));
  }
  throw new TapegradError(`vmap: the function must give tensors, or arrays or objects of them; got ${typeof first}`, { op: 'vmap' });
}

/** Refuses what would make samples depend on each other. */
class Watch {
  private readonly shared: readonly { readonly leaf: Leaf; readonly version: number }[];
  private readonly randomness: NonNullable<VmapOptions['randomness']>;
  private readonly state: Uint8Array;

  constructor(leaves: readonly Leaf[], randomness: NonNullable<VmapOptions['randomness']>) {
    this.shared = leaves.filter(({ dim }) => dim === null).map((leaf) => ({ leaf, version: leaf.x.version }));
    this.randomness = randomness;
    this.state = getRngState();
  }

  /** After the k-th of so many calls. */
  after(k: number, size: number): void {
    const changed = this.shared.find(({ leaf, version }) => leaf.x.version !== version);
    if (changed !== undefined) {
      throw new GradError(
        `vmap: the function changes ${changed.leaf.name} in place, which is the same for all samples; map over it, or use the ` +
          'operation without the trailing underscore',
        { op: 'vmap' },
      );
    }
    if (this.randomness === 'same' && k < size - 1) setRngState(this.state);
    if (this.randomness !== 'error' || k > 0 || getRngState().every((byte, i) => byte === this.state[i])) return;
    setRngState(this.state);
    throw new TapegradError(
      "vmap: the function draws random numbers; say { randomness: 'different' } for others in each sample, or 'same'",
      { op: 'vmap' },
    );
  }
}
