// npm run example -- NAME [--quick]: runs one of the examples; without a name it lists them.
import { runProgram } from './program.ts';
import { UsageError } from './options.ts';
import { Stage, type Example } from './stage.ts';

interface Entry {
  readonly shows: string;
  readonly load: () => Promise<Example>;
}

const EXAMPLES: Readonly<Record<string, Entry>> = {
  'curve-fitting': {
    shows: 'a growth curve through measurements, against certified values',
    load: async () => (await import('./curve-fitting.ts')).curveFitting,
  },
  wages: {
    shows: 'regression on a real table: exact least squares and a network',
    load: async () => (await import('./wages.ts')).wages,
  },
  'digits-cnn': {
    shows: 'handwritten digits, read by a convolutional network',
    load: async () => (await import('./digits-cnn.ts')).digitsCnn,
  },
  'character-lstm': {
    shows: 'the Bible, character by character, by a recurrent network that then writes',
    load: async () => (await import('./character-lstm.ts')).characterLstm,
  },
  gpt: {
    shows: 'a small GPT on the same text',
    load: async () => (await import('./gpt.ts')).gpt,
  },
  names: {
    shows: 'new first names, like those of a list',
    load: async () => (await import('./names.ts')).names,
  },
  vae: {
    shows: 'an autoencoder that draws digits; keeps a picture of them',
    load: async () => (await import('./vae.ts')).vae,
  },
  cartpole: {
    shows: 'policy gradient: a pole is balanced on a cart',
    load: async () => (await import('./cartpole.ts')).cartpole,
  },
  'super-resolution': {
    shows: 'a picture made twice as large by trained weights from npm',
    load: async () => (await import('./super-resolution.ts')).superResolution,
  },
};

/** What is said when no example is named. */
function list(): string {
  const width = Math.max(...Object.keys(EXAMPLES).map((name) => name.length));
  return [
    'usage: npm run example -- NAME [--quick]',
    '',
    ...Object.entries(EXAMPLES).map(([name, { shows }]) => `  ${name.padEnd(width)}  ${shows}`),
  ].join('\n');
}

await runProgram(async (args) => {
  const unknown = args.find((arg) => arg.startsWith('-') && arg !== '--quick');
  if (unknown !== undefined) throw new UsageError(`There is no option ${unknown}; the only one is --quick.`);
  const [name, ...more] = args.filter((arg) => arg !== '--quick');
  if (name === undefined) {
    console.log(list());
    return 0;
  }
  if (more.length > 0) throw new UsageError(`One example at a time: "${more[0]}" is too much.`);
  if (!Object.hasOwn(EXAMPLES, name)) {
    throw new UsageError(`There is no example "${name}"; known are ${Object.keys(EXAMPLES).join(', ')}.`);
  }
  const example = await EXAMPLES[name]!.load();
  await example(new Stage(args.includes('--quick'), `runs/${name}`));
  return 0;
});
