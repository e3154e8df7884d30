import { getRngState, interop, setRngState, tensor, Tensor } from 'tapegrad';
import type { data, nn, optim } from 'tapegrad';

/** The numbers of a run so far. */
export interface History {
  /** One per batch. */
  readonly trainLoss: number[];
  readonly trainAccuracy: number[];
  /** One per epoch. */
  readonly testLoss: number[];
  readonly testAccuracy: number[];
}

/** Images and labels. */
export type Batch = [images: Tensor, labels: Tensor];

/** What a training works on. */
export interface TrainingParts {
  readonly model: nn.Module;
  readonly optimizer: optim.Adam;
  readonly scheduler: optim.lrScheduler.LRScheduler;
  /** Gives the batches of the training images. */
  readonly loader: data.DataLoader<Batch>;
}

/**
 * Where a training stands. It can stop after any batch, and a new one that takes over its checkpoint ends with the
 * same weights, bit for bit, as if there had been no stop.
 */
export class Training {
  /** Epochs that are finished. */
  epoch = 0;
  /** Batches of the present epoch that are finished. */
  step = 0;
  /** Losses and accuracies from the first batch of all on. */
  readonly history: History = { trainLoss: [], trainAccuracy: [], testLoss: [], testAccuracy: [] };
  readonly #parts: TrainingParts;
  /** The random state from which the present epoch's order was drawn. */
  #epochStart: Uint8Array = getRngState();
  #startedAt = performance.now();

  constructor(parts: TrainingParts) {
    this.#parts = parts;
  }

  /**
   * The batches of this epoch that are not done yet. Each counts as done when the next one is asked for.
   *
   * @param stop asked before each batch; after a yes no more come
   */
  async *remaining(stop: () => Promise<boolean>): AsyncGenerator<Batch> {
    // Asked before the order is drawn: between that and the first batch there is no place to go on from.
    if (await stop()) return;
    const order = this.#drawOrder();
    while (this.step < order.length) {
      yield await this.#parts.loader.load(order[this.step]!);
      this.step++;
      if (await stop()) return;
    }
  }

  /** The same order as at the epoch's start, with what was drawn since then drawn no second time. */
  #drawOrder(): number[][] {
    const present = getRngState();
    if (this.step === 0) this.#epochStart = present;
    setRngState(this.#epochStart);
    const order = [...this.#parts.loader.batches()];
    if (this.step > 0) setRngState(present);
    return order;
  }

  /** Notes what came out of a batch. */
  record(loss: number, accuracy: number): void {
    this.history.trainLoss.push(loss);
    this.history.trainAccuracy.push(accuracy);
  }

  /** Means over the batches of this epoch so far. */
  get means(): { loss: number; accuracy: number } {
    const { trainLoss, trainAccuracy } = this.history;
    const from = this.epoch * this.batches;
    return { loss: mean(trainLoss.slice(from)), accuracy: mean(trainAccuracy.slice(from)) };
  }

  /** Batches per epoch. */
  get batches(): number {
    return this.#parts.loader.length;
  }

  /** Images of this epoch that are finished. */
  get imagesDone(): number {
    const { batchSize, dataset } = this.#parts.loader;
    return Math.min(this.step * batchSize!, dataset.length);
  }

  /** Ends an epoch whose batches are all done, with what the test images said. */
  endEpoch(test: { loss: number; accuracy: number }): void {
    this.history.testLoss.push(test.loss);
    this.history.testAccuracy.push(test.accuracy);
    this.#parts.scheduler.step();
    this.epoch++;
    this.step = 0;
  }

  /** Seconds of training, those before a stop included. */
  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  /** All that is needed to go on from here. */
  checkpoint(settings: Readonly<Record<string, number>>): interop.Checkpoint {
    const { model, optimizer, scheduler, loader } = this.#parts;
    const history = Object.entries(this.history).map(([key, values]) => [
      key,
      tensor(Float64Array.from(values)),
    ]);
    return {
      model: model.stateDict(),
      optimizer: optimizer.stateDict(),
      scheduler: scheduler.stateDict(),
      epoch: this.epoch,
      step: this.step,
      random: { present: getRngState(), epochStart: this.#epochStart },
      extra: {
        settings,
        images: loader.dataset.length,
        seconds: this.seconds,
        ...Object.fromEntries(history),
      },
    };
  }

  /**
   * Goes on where a checkpoint was made.
   *
   * @throws FormatError when it is of another model
   * @throws RangeError when it is of other images, or lacks a part
   */
  restore(checkpoint: interop.Checkpoint): void {
    const { model, optimizer, scheduler, loader } = this.#parts;
    const { extra, random } = checkpoint;
    interop.checkModelState(checkpoint.model, model.stateDict());
    if (extra['images'] !== loader.dataset.length) {
      throw new RangeError(
        `It was made with ${String(extra['images'])} images; here are ${loader.dataset.length}.`,
      );
    }
    const { present, epochStart } = random;
    const known = Object.keys(this.history).every((key) => extra[key] instanceof Tensor);
    if (present === undefined || epochStart === undefined || !known || checkpoint.scheduler === undefined) {
      throw new RangeError('It was made by another program than this one.');
    }
    model.loadStateDict(checkpoint.model);
    optimizer.loadStateDict(checkpoint.optimizer);
    scheduler.loadStateDict(checkpoint.scheduler);
    setRngState(present);
    this.#epochStart = epochStart;
    this.epoch = checkpoint.epoch;
    this.step = checkpoint.step;
    for (const [key, values] of Object.entries(this.history)) {
      for (const value of (extra[key] as Tensor).toTypedArray()) values.push(value);
    }
    this.#startedAt = performance.now() - 1000 * Number(extra['seconds'] ?? 0);
  }
}

/** Scales the learning rate, at this point of its schedule, so that its first value is `lr`. */
export function changeRate(
  { optimizer, scheduler }: Pick<TrainingParts, 'optimizer' | 'scheduler'>,
  lr: number,
): void {
  for (const group of optimizer.paramGroups) {
    const first = group.initialLr ?? group.lr;
    if (first === lr) continue;
    group.lr *= lr / first;
    group.initialLr = lr;
  }
  scheduler.baseLrs.fill(lr);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
