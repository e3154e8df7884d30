import { defineUpdate, keep, noGrad, requireOptions, Tensor, tensor, ValueError, type Update } from '@tapegrad/core';

/** How parameters are averaged. */
export interface AveragingOptions {
  /** Share of the average that each update keeps; default null, which is the plain mean of all updates. */
  decay?: number | null;
}

/** The state of an average: how many updates are in it, and its tensors in the order of the parameters. */
export interface AveragingState {
  readonly n_averaged: number;
  readonly averages: readonly Tensor[];
}

const approach: Update = defineUpdate({ targets: 1, inputs: 1, params: 1 }, ([mean], [value], [share]) => [
  mean!.add(value!.sub(mean!).mul(share!)),
]);

/**
 * The average of parameters along a training: their mean (stochastic weight averaging), or with a decay their
 * exponential moving average. It often does better than the last parameters. The statistics of batch normalisation are no
 * parameters: run the training data through the model once more after `copyTo` or inside of `use`.
 * @example
 * const w = tg.tensor([0], { requiresGrad: true });
 * const averaged = new tg.optim.swaUtils.AveragedParameters([w]);
 * for (const value of [1, 2, 6]) {
 *   tg.noGrad(() => w.fill_(value));
 *   averaged.update();
 * }
 * console.log(averaged.use(() => w.item()), w.item()); // → 3 6
 * @source torch.optim.swa_utils.AveragedModel; Izmailov et al. (2018); Polyak and Juditsky (1992)
 */
export class AveragedParameters {
  /** Updates so far. */
  nAveraged = 0;
  /** The averages, in the order of the parameters. */
  readonly averages: readonly Tensor[];
  private readonly params: readonly Tensor[];
  private readonly decay: number | null;

  /**
   * @param params what is averaged, such as `model.parameters()`; the average begins as a copy of them
   * @throws ValueError for no parameters, or a decay that is not from 0 to below 1
   */
  constructor(params: Iterable<Tensor>, options: AveragingOptions = {}) {
    requireOptions('AveragedParameters', options, ['decay']);
    const { decay = null } = options;
    if (decay !== null && !(decay >= 0 && decay < 1)) {
      throw new ValueError(`AveragedParameters: the decay must be from 0 to below 1, got ${decay}`);
    }
    this.params = [...params];
    if (this.params.length === 0) throw new ValueError('AveragedParameters: got no parameters');
    this.decay = decay;
    this.averages = this.params.map((p) => keep(p.detach().clone()));
  }

  /** Takes the present parameters into the average; the first time, they are the average. */
  update(): void {
    const share = this.nAveraged === 0 ? 1 : this.decay === null ? 1 / (this.nAveraged + 1) : 1 - this.decay;
    this.params.forEach((p, i) => {
      if (share === 1) noGrad(() => this.averages[i]!.copy_(p));
      else approach([this.averages[i]!], [p], [share]);
    });
    this.nAveraged++;
  }

  /** Overwrites the parameters with the average. */
  copyTo(): void {
    noGrad(() => this.params.forEach((p, i) => p.copy_(this.averages[i]!)));
  }

  /** Runs `body` while the parameters are the average, and puts them back after it, or after the promise it returns. */
  use<T>(body: () => T): T {
    const present = this.params.map((p) => p.detach().clone());
    const restore = (): void => noGrad(() => this.params.forEach((p, i) => p.copy_(present[i]!)));
    this.copyTo();
    let result: T;
    try {
      result = body();
    } catch (error) {
      restore();
      throw error;
    }
    if (result instanceof Promise) return result.finally(restore) as T;
    restore();
    return result;
  }

  /** What `loadStateDict` takes; the tensors are the average itself. */
  stateDict(): AveragingState {
    return { n_averaged: this.nAveraged, averages: this.averages };
  }

  /** Takes over an average, as copies. @throws ValueError, before anything has changed, when it is of other parameters */
  loadStateDict({ n_averaged: count, averages }: AveragingState): void {
    const shapes = (list: readonly Tensor[]): string => list.map(({ shape }) => `[${shape.join(', ')}]`).join(' ');
    if (shapes(averages) !== shapes(this.averages)) {
      throw new ValueError(`AveragedParameters: the state is of parameters ${shapes(averages)}, expected ${shapes(this.averages)}`);
    }
    noGrad(() => this.averages.forEach((mean, i) => mean.copy_(tensor(averages[i]!, { dtype: mean.dtype }))));
    this.nAveraged = count;
  }
}
