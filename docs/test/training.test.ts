import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import * as tg from 'tapegrad';
import { changeRate, Training, type Batch } from '../examples/training.ts';

const { data, interop, nn, optim } = tg;

const EPOCHS = 3;
const BATCHES = 4;

/** Draws random numbers in every step, so that the state of the stream matters between batches. */
class Noisy extends nn.Module {
  layer = new nn.Linear(3, 2);
  forward(x: tg.Tensor): tg.Tensor {
    return this.layer(x.add(tg.randn(x.shape).mul(0.1))) as tg.Tensor;
  }
}

class Run {
  readonly model: Noisy;
  readonly optimizer: tg.optim.Adam;
  readonly scheduler: tg.optim.lrScheduler.LambdaLR;
  readonly loader: tg.data.DataLoader<Batch>;
  readonly training: Training;

  constructor(seed: number, rows = 14) {
    tg.manualSeed(7);
    const samples = new data.TensorDataset(tg.rand([rows, 3]), tg.rand([rows, 2]));
    this.loader = new data.DataLoader(samples as unknown as tg.data.Dataset<Batch>, {
      batchSize: 4,
      shuffle: true,
    });
    tg.manualSeed(seed);
    this.model = new Noisy();
    this.optimizer = new optim.Adam(this.model.parameters(), { lr: 0.1 });
    this.scheduler = new optim.lrScheduler.LambdaLR(this.optimizer, (epoch) => 0.5 ** epoch);
    this.training = new Training(this);
  }

  /** Trains; stops when `stop` says so. Returns whether it came to the end. */
  async go(epochs: number, stop: () => boolean = () => false): Promise<boolean> {
    const { training, model, optimizer } = this;
    while (training.epoch < epochs) {
      for await (const [x, y] of training.remaining(async () => stop())) {
        const loss = (model(x) as tg.Tensor).sub(y).square().mean();
        model.zero_grad();
        loss.backward();
        optimizer.step();
        training.record(loss.item(), 0.5);
      }
      if (stop()) return false;
      training.endEpoch(training.means);
    }
    return true;
  }

  bytes(): Uint8Array {
    return interop.encodeCheckpoint(this.training.checkpoint({ epochs: EPOCHS }));
  }

  /** A digest of everything that a run ends with, but for the time it took. */
  result(): string {
    const checkpoint = this.training.checkpoint({ epochs: EPOCHS });
    const bytes = interop.encodeCheckpoint({ ...checkpoint, extra: { ...checkpoint.extra, seconds: 0 } });
    return createHash('sha256').update(bytes).digest('hex');
  }
}

/** What an uninterrupted run ends with. All runs draw from one random stream, so each is to be ended before the next. */
async function uninterrupted(): Promise<string> {
  const run = new Run(1);
  await run.go(EPOCHS);
  return run.result();
}

/** Says yes at its n-th question and from then on. */
function afterQuestions(n: number): () => boolean {
  let asked = 0;
  return () => asked++ >= n;
}

describe('a training that is interrupted and resumed', () => {
  it('ends as if it had not been, wherever the stop was', async () => {
    const whole = await uninterrupted();
    // One question before the first batch of an epoch, one after each, one at the end.
    const questions = EPOCHS * (BATCHES + 2);
    for (let n = 0; n < questions; n++) {
      const first = new Run(1);
      expect(await first.go(EPOCHS, afterQuestions(n))).toBe(false);
      const { epoch, step } = first.training;
      const bytes = first.bytes();
      const second = new Run(1000 + n);
      second.training.restore(interop.decodeCheckpoint(bytes));
      expect(second.training).toMatchObject({ epoch, step });
      expect(await second.go(EPOCHS)).toBe(true);
      expect(second.result()).toBe(whole);
    }
  });

  it('may be interrupted again and again', async () => {
    const whole = await uninterrupted();
    let bytes = new Run(1).bytes();
    let runs = 0;
    for (let done = false; !done; runs++) {
      const next = new Run(2);
      next.training.restore(interop.decodeCheckpoint(bytes));
      done = await next.go(EPOCHS, afterQuestions(2));
      bytes = next.bytes();
      if (done) expect(next.result()).toBe(whole);
    }
    expect(runs).toBeGreaterThan(EPOCHS);
  });

  it('may go on for more epochs than it was meant to have', async () => {
    const whole = await uninterrupted();
    const short = new Run(1);
    await short.go(1);
    const bytes = short.bytes();
    const more = new Run(2);
    more.training.restore(interop.decodeCheckpoint(bytes));
    await more.go(EPOCHS);
    expect(more.result()).toBe(whole);
    expect(more.training.history.trainLoss).toHaveLength(EPOCHS * BATCHES);
  });

  it('counts the seconds before the stop', async () => {
    const run = new Run(1);
    const checkpoint = run.training.checkpoint({});
    run.training.restore({ ...checkpoint, extra: { ...checkpoint.extra, seconds: 100 } });
    expect(run.training.seconds).toBeGreaterThan(100);
    expect(run.training.seconds).toBeLessThan(110);
  });

  it('goes on with another learning rate at the same point of the schedule', async () => {
    const run = new Run(1);
    await run.go(2);
    changeRate(run, 0.1);
    expect(run.optimizer.paramGroups[0]!.lr).toBe(0.1 * 0.25);
    changeRate(run, 0.8);
    expect(run.optimizer.paramGroups[0]!.lr).toBeCloseTo(0.8 * 0.25, 12);
    await run.go(3);
    expect(run.optimizer.paramGroups[0]!.lr).toBe(0.8 * 0.125);
  });
});

describe('restoring', () => {
  const restore = (checkpoint: Partial<tg.interop.Checkpoint>, run = new Run(2)) => {
    return () => run.training.restore({ ...new Run(1).training.checkpoint({}), ...checkpoint });
  };

  it('refuses what does not fit, and says why', () => {
    expect(restore({ model: { 'layer.weight': tg.rand([2, 4]) } })).toThrow(
      'The file is of another model: "layer.weight" is [2, 4] instead of [2, 3]; "layer.bias" [2] is missing.',
    );
    expect(restore({}, new Run(1, 15))).toThrow('It was made with 14 images; here are 15.');
    expect(restore({ extra: { images: 14 } })).toThrow('It was made by another program than this one.');
    expect(restore({ random: {} })).toThrow('It was made by another program than this one.');
  });
});
