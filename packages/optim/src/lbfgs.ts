import { cat, enableGrad, keep, noGrad, peekGrad, Tensor, ValueError } from '@tapegrad/core';
import { strongWolfe, type LinePoint } from './line-search.ts';
import { requireValid, withDefaults } from './options.ts';
import { groupParams, Optimizer } from './optimizer.ts';
import type { OptimizerStateDict, ParameterState, ParamGroupInput, ParamsInput } from './optimizer.ts';

/** Options of LBFGS. */
export interface LBFGSOptions {
  /** Step length, of a line search the first one to try; default 1. */
  lr?: number;
  /** Most iterations per call of `step`; default 20. */
  maxIter?: number;
  /** Most calls of the closure per call of `step`; default 5/4 of `maxIter`. */
  maxEval?: number;
  /** Stop when no element of the gradient is larger; default 1e-7. */
  toleranceGrad?: number;
  /** Stop when neither a parameter nor the loss changes by more; default 1e-9. */
  toleranceChange?: number;
  /** How many of the last steps make the picture of the curvature; default 100. */
  historySize?: number;
  /** How the step length is found; default null, which is a fixed one. */
  lineSearchFn?: 'strong_wolfe' | null;
}

type Options = Required<LBFGSOptions>;

const defaults: Options = {
  lr: 1,
  maxIter: 20,
  maxEval: 25,
  toleranceGrad: 1e-7,
  toleranceChange: 1e-9,
  historySize: 100,
  lineSearchFn: null,
};

/** What is remembered from iteration to iteration, under the first parameter and PyTorch's names. */
interface Memory extends ParameterState {
  funcEvals: number;
  nIter: number;
  /** Last direction and step length. */
  d: Tensor;
  t: number;
  /** Changes of the gradient, of the parameters, and the reciprocals of their products; oldest first. */
  oldDirs: Tensor[];
  oldStps: Tensor[];
  ro: number[];
  H_diag: number;
  prevFlatGrad: Tensor;
  prevLoss: number;
}

/** The least product of the changes of gradient and parameters that tells something about the curvature. */
const LEAST_CURVATURE = 1e-10;

/**
 * Quasi-Newton steps from the last changes of the gradient: few, large and for full batches. `step` needs a closure
 * that clears the gradients, computes the loss, calls `backward` and returns the loss; it is called several times.
 * @example
 * const x = tg.tensor([-1.5, 2], { dtype: 'float64', requiresGrad: true });
 * const optimizer = new tg.optim.LBFGS([x], { lineSearchFn: 'strong_wolfe', maxIter: 50 });
 * optimizer.step(() => {
 *   optimizer.zeroGrad();
 *   const [a, b] = x.unbind();
 *   const loss = a.rsub(1).square().add(b.sub(a.square()).square().mul(100));
 *   loss.backward();
 *   return loss;
 * });
 * console.log(x.toArray().map((value) => value.toFixed(4))); // → [ '1.0000', '1.0000' ]
 * @source torch.optim.LBFGS; Nocedal and Wright (2006), algorithm 7.4
 */
export class LBFGS extends Optimizer<Options> {
  protected override readonly numbers: readonly string[] = ['funcEvals', 'nIter', 't', 'ro', 'H_diag', 'prevLoss'];

  /** @throws ValueError as every optimizer, and for more than one group or parameters of several dtypes */
  constructor(params: ParamsInput<LBFGSOptions>, options: LBFGSOptions = {}) {
    const maxEval = Math.floor(((options.maxIter ?? defaults.maxIter) * 5) / 4);
    super(params as ParamsInput<Options>, withDefaults({ ...defaults, maxEval }, options));
  }

  override addParamGroup(group: ParamGroupInput<Options>): void {
    if (this.paramGroups.length > 0) throw new ValueError("LBFGS doesn't support parameter groups: it steps along one line");
    const params = groupParams(group);
    const dtypes = new Set(params.map((p) => (p instanceof Tensor ? p.dtype : typeof p)));
    if (dtypes.size > 1) throw new ValueError(`LBFGS: all parameters must have one dtype, got ${[...dtypes].join(' and ')}`);
    super.addParamGroup({ ...group, params });
  }

  protected override check(options: Options): void {
    super.check(options);
    const { lineSearchFn, historySize } = options;
    requireValid(lineSearchFn === null || lineSearchFn === 'strong_wolfe', 'line search', lineSearchFn);
    requireValid(Number.isInteger(historySize) && historySize > 0, 'history size', historySize);
  }

  protected override takeOver(dict: OptimizerStateDict): void {
    super.takeOver(dict);
    // A scratch list of PyTorch's, which it makes anew where there is none.
    for (const state of this.state.values()) delete state['al'];
  }

  protected override update(): void {
    throw new ValueError('LBFGS changes all parameters together');
  }

  /**
   * Runs iterations until a tolerance or a limit is reached, and returns what the first call of the closure returned.
   * @throws ValueError without a closure, or when it returns neither a number nor a tensor of one
   */
  protected override advance(closure: (() => unknown) | undefined): unknown {
    if (closure === undefined) throw new ValueError('LBFGS.step needs a closure that computes the loss and its gradients');
    return noGrad(() => this.iterate(closure));
  }

  private iterate<T>(closure: () => T): T {
    const { params, lr, maxIter, maxEval, toleranceGrad, toleranceChange, historySize, lineSearchFn } = this.paramGroups[0]!;
    let memory = this.state.get(params[0]!) as Memory | undefined;
    if (memory === undefined) {
      memory = { funcEvals: 0, nIter: 0 } as Memory;
      this.state.set(params[0]!, memory);
    }
    let evaluations = 0;
    const evaluate = (): { value: T; loss: number; gradient: Tensor } => {
      const value = enableGrad(closure);
      evaluations++;
      memory.funcEvals++;
      return { value, loss: numberOf(value), gradient: keep(flatGradient(params)) };
    };
    const first = evaluate();
    this.stepCount++;
    let { loss, gradient } = first;
    if (largest(gradient) <= toleranceGrad) return first.value;

    for (let iteration = 1; iteration <= maxIter; iteration++) {
      memory.nIter++;
      if (memory.nIter === 1) Object.assign(memory, { d: keep(gradient.neg()), oldDirs: [], oldStps: [], ro: [], H_diag: 1 });
      else {
        remember(memory, gradient, historySize);
        memory.d = keep(direction(memory, gradient));
      }
      const lossBefore = loss;
      memory.prevFlatGrad = gradient;
      memory.prevLoss = loss;
      memory.t = memory.nIter === 1 ? Math.min(1, 1 / gradient.abs().sum().item()) * lr : lr;

      const { d } = memory;
      const slope = gradient.dot(d).item();
      if (slope > -toleranceChange) break;
      if (lineSearchFn !== null) {
        const start = params.map((p) => p.clone());
        const at = (t: number): LinePoint => {
          move(params, d, t);
          try {
            const { loss, gradient } = evaluate();
            return { t, loss, gradient, slope: gradient.dot(d).item() };
          } finally {
            params.forEach((p, i) => p.copy_(start[i]!));
          }
        };
        const found = strongWolfe(at, { t: 0, loss, gradient, slope }, memory.t, toleranceChange / largest(d));
        ({ loss, gradient } = found);
        memory.t = found.t;
        move(params, d, found.t);
      } else {
        move(params, d, memory.t);
        // What a step after the last one would start from is for the next call to find out.
        if (iteration < maxIter) ({ loss, gradient } = evaluate());
      }

      const settled =
        largest(gradient) <= toleranceGrad ||
        Math.abs(memory.t) * largest(d) <= toleranceChange ||
        Math.abs(loss - lossBefore) < toleranceChange;
      if (evaluations >= maxEval || settled) break;
    }
    return first.value;
  }
}

/** Adds the last step to the memory, unless it says nothing about the curvature. */
function remember(memory: Memory, gradient: Tensor, size: number): void {
  const change = gradient.sub(memory.prevFlatGrad);
  const step = memory.d.mul(memory.t);
  const product = change.dot(step).item();
  if (!(product > LEAST_CURVATURE)) return;
  const { oldDirs, oldStps, ro } = memory;
  if (oldDirs.length === size) for (const list of [oldDirs, oldStps, ro]) list.shift();
  oldDirs.push(keep(change));
  oldStps.push(keep(step));
  ro.push(1 / product);
  memory.H_diag = product / change.dot(change).item();
}

/** The gradient times minus the inverse Hessian as the memory knows it: the two-loop recursion. */
function direction({ oldDirs, oldStps, ro, H_diag }: Memory, gradient: Tensor): Tensor {
  const q = gradient.neg();
  const shares: number[] = [];
  for (let i = ro.length - 1; i >= 0; i--) {
    shares[i] = oldStps[i]!.dot(q).item() * ro[i]!;
    q.add_(oldDirs[i]!, { alpha: -shares[i]! });
  }
  q.mul_(H_diag);
  for (let i = 0; i < ro.length; i++) {
    const share = oldDirs[i]!.dot(q).item() * ro[i]!;
    q.add_(oldStps[i]!, { alpha: shares[i]! - share });
  }
  return q;
}

/** All gradients in one vector; those that are not there are zeros. */
function flatGradient(params: readonly Tensor[]): Tensor {
  return cat(params.map((p) => (peekGrad(p) ?? p.detach().zerosLike()).detach().reshape(-1)));
}

/** Moves the parameters a length along a direction. */
function move(params: readonly Tensor[], direction: Tensor, length: number): void {
  let offset = 0;
  for (const p of params) {
    p.add_(direction.slice(0, offset, offset + p.numel()).view(p.shape), { alpha: length });
    offset += p.numel();
  }
}

function largest(x: Tensor): number {
  return x.abs().max().item();
}

function numberOf(loss: unknown): number {
  if (typeof loss === 'number') return loss;
  if (loss instanceof Tensor && loss.numel() === 1) return loss.item();
  throw new ValueError('LBFGS: the closure must return the loss, as a number or a tensor of one element');
}
