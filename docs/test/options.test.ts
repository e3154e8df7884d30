import { describe, expect, it } from '@jest/globals';
import { interop } from 'tapegrad';
import { defaults, readOptions, usage, UsageError, type Options } from '../examples/options.ts';
import { settle } from '../examples/settings.ts';

function message(...args: string[]): string {
  try {
    readOptions(args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'nothing was thrown';
}

describe('the command line', () => {
  it('is read into options', () => {
    expect(readOptions([])).toEqual({});
    const args =
      '--epochs 3 --lr=1e-2 --batch-size 32 --seed 0 --resume a.safetensors --out x --data=y --help';
    expect(readOptions(args.split(' '))).toEqual({
      epochs: 3,
      lr: 0.01,
      batchSize: 32,
      seed: 0,
      resume: 'a.safetensors',
      out: 'x',
      data: 'y',
      help: true,
    });
  });

  it.each([
    [
      '--epoch 3',
      'There is no option --epoch; known are --epochs, --lr, --batch-size, --seed, --resume, --out, --data and --help.',
    ],
    [
      '-e',
      'There is no option -e; known are --epochs, --lr, --batch-size, --seed, --resume, --out, --data and --help.',
    ],
    ['--toString', /^There is no option --toString; known/],
    ['--no-help', /^There is no option --no-help; known/],
    ['3', /^"3" is not an option; known are/],
    ['-- x', /^"x" is not an option; known are/],
    ['--epochs', '--epochs needs a whole number from 1 to 10000, but nothing follows it.'],
    ['--epochs=', '--epochs needs a whole number from 1 to 10000, but nothing follows it.'],
    ['--epochs 0', '--epochs needs a whole number from 1 to 10000, but got "0".'],
    ['--epochs 2.5', '--epochs needs a whole number from 1 to 10000, but got "2.5".'],
    ['--epochs --lr 1', '--epochs needs a whole number from 1 to 10000, but got "--lr".'],
    ['--lr -1', '--lr needs a number above 0 and up to 100, but got "-1".'],
    ['--lr 0', '--lr needs a number above 0 and up to 100, but got "0".'],
    ['--lr NaN', '--lr needs a number above 0 and up to 100, but got "NaN".'],
    ['--lr fast', '--lr needs a number above 0 and up to 100, but got "fast".'],
    ['--batch-size 1e9', '--batch-size needs a whole number from 1 to 60000, but got "1e9".'],
    ['--seed -1', '--seed needs a whole number from 0 up, but got "-1".'],
    ['--resume', '--resume needs a file, but nothing follows it.'],
    ['--resume --out x', '--resume needs a file, but got "--out".'],
    ['--help=yes', '--help takes no value, but got "yes".'],
  ])('refuses %s in one sentence', (args, expected) => {
    expect(message(...args.split(' '))).toMatch(expected);
  });

  it('is explained by --help, flag by flag', () => {
    for (const flag of [
      '--epochs N',
      '--lr RATE',
      '--batch-size N',
      '--seed N',
      '--resume FILE',
      '--out FOLDER',
    ]) {
      expect(usage()).toContain(`  ${flag}`);
    }
    for (const line of usage().split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });
});

describe('the settings of a run', () => {
  const kept = { epochs: 9, lr: 0.5, batchSize: 16, seed: 3 };
  const checkpoint = (settings: unknown): interop.Checkpoint => ({
    model: {},
    optimizer: { state: {}, param_groups: [] },
    epoch: 0,
    step: 0,
    random: {},
    extra: { settings },
  });
  const resumed = (options: Options) => settle(options, checkpoint(kept));

  it('are what is said, else the defaults', () => {
    expect(settle({}, null)).toEqual(defaults);
    expect(settle({ epochs: 1, seed: 4 }, null)).toEqual({ ...defaults, epochs: 1, seed: 4 });
  });

  it('are those of the checkpoint when a run is resumed, but for epochs and learning rate', () => {
    expect(resumed({})).toEqual(kept);
    expect(resumed({ epochs: 20, lr: 1, batchSize: 16, seed: 3 })).toEqual({ ...kept, epochs: 20, lr: 1 });
    expect(() => resumed({ batchSize: 32 })).toThrow(
      '--batch-size cannot change when a run is resumed: it is 16, not 32.',
    );
    expect(() => resumed({ seed: 0 })).toThrow(UsageError);
  });

  it('have to be in the checkpoint', () => {
    expect(() => settle({}, checkpoint({ epochs: 3 }))).toThrow(interop.FormatError);
    expect(() => settle({}, checkpoint(undefined))).toThrow('It was made by another program than this one.');
  });
});
