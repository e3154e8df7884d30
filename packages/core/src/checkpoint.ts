import { currentTask } from './autodiff/engine.ts';
import { savedTensorsHooks } from './autodiff/saved-hooks.ts';
import { GradError } from './errors.ts';
import { enableGrad, isGradEnabled } from './modes.ts';
import { checkOptions, none } from './option-names.ts';
import { getRngState, setRngState } from './random.ts';
import { sameShape, shapeString, type Shape } from './shape.ts';
import { Tensor } from './tensor.ts';

/** How `checkpoint` computes anew. */
export interface CheckpointOptions {
  /** Draw the same random numbers again, so that dropout drops the same elements; default true. */
  preserveRngState?: boolean;
}

/** What is left of a saved tensor: its number among those of the function, and what it must look like. */
interface Place {
  readonly index: number;
  readonly shape: Shape;
  readonly dtype: string;
}

/** Thrown to leave the function as soon as all that was saved is there again. */
const done = new Error('everything that was saved is computed');

/**
 * Runs a function without keeping what its operations save for the backward pass; the function runs a second time when that
 * is needed. Trades time for memory, and gives the same gradients to the bit. Works with `backward`, `grad`, gradients
 * of gradients and inside another checkpoint.
 * @param fn called once now and once in each backward pass; must do the same each time
 * @throws GradError in the backward pass, if the function then saves other tensors, or an argument was changed in place
 * @example
 * const x = tg.tensor([1, 2], { requiresGrad: true });
 * const y = tg.checkpoint((t: tg.Tensor) => t.exp().sin(), [x]);
 * y.sum().backward();
 * console.log(x.grad.toArray().length); // → 2
 * @source torch.utils.checkpoint.checkpoint with use_reentrant=False
 */
export function checkpoint<A extends unknown[], R>(fn: (...args: A) => R, args: A, options: CheckpointOptions = none): R {
  checkOptions('checkpoint', options, { preserveRngState: 1 });
  if (!isGradEnabled()) return fn(...args);
  const { preserveRngState = true } = options;
  const rng = preserveRngState ? getRngState() : null;
  const versions = args.map((x) => (x instanceof Tensor ? x.version : 0));
  const again = new Recomputation(() => {
    args.forEach((x, i) => {
      if (x instanceof Tensor && x.version !== versions[i]) {
        throw new GradError(`checkpoint: argument ${i} was changed in place since the function ran; clone() it first`);
      }
    });
    const apart = args.map((x) => (x instanceof Tensor ? x.detach().requiresGrad_(x.requiresGrad) : x)) as A;
    const now = getRngState();
    if (rng !== null) setRngState(rng);
    try {
      enableGrad(() => fn(...apart));
    } finally {
      if (rng !== null) setRngState(now);
    }
  });
  return savedTensorsHooks((x) => again.forget(x), (place) => again.recall(place), () => fn(...args));
}

/** The tensors that a function saves, which are computed when the first of them is asked for. */
class Recomputation {
  private count = 0;
  private values = new Map<number, Tensor>();
  /** The backward pass for which the values were computed. */
  private task: number | null = null;
  private readonly run: () => void;

  constructor(run: () => void) {
    this.run = run;
  }

  forget({ shape, dtype }: Tensor): Place {
    return { index: this.count++, shape, dtype };
  }

  recall({ index, shape, dtype }: Place): Tensor {
    if (this.task !== currentTask() || !this.values.has(index)) this.compute();
    const value = this.values.get(index)!;
    if (!sameShape(value.shape, shape) || value.dtype !== dtype) {
      throw new GradError(
        `checkpoint: the function saved ${dtype} ${shapeString(shape)} as its tensor ${index}, and ${value.dtype} ` +
          `${shapeString(value.shape)} when it ran again; it must do the same each time`,
        { op: 'checkpoint' },
      );
    }
    return value;
  }

  private compute(): void {
    this.values = new Map();
    this.task = currentTask();
    let next = 0;
    const take = (x: Tensor): number => {
      this.values.set(next++, x);
      if (next === this.count) throw done;
      return next - 1;
    };
    try {
      savedTensorsHooks(take, (index) => this.values.get(index)!, this.run);
    } catch (error) {
      if (error !== done) throw error;
    }
    if (next < this.count) {
      throw new GradError(
        `checkpoint: the function saved ${this.count} tensors, and only ${next} when it ran again; it must do the same each time`,
        { op: 'checkpoint' },
      );
    }
  }
}
