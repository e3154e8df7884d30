import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface Options {
  /** Names or groups of cases, and of the reports memory, start and size; empty means all. */
  readonly only: readonly string[];
  /** Names of libraries; empty means all. */
  readonly libraries: readonly string[];
  readonly threads: number;
  /** Whether tapegrad with a BLAS is measured too. */
  readonly blas: boolean;
  readonly quick: boolean;
  readonly json: boolean;
  readonly pin: boolean;
  /** Which time the tables show; the results keep both. */
  readonly clock: 'wall' | 'cpu';
  readonly reference: boolean;
  /** Name of the case to take a profile of instead; empty means none. */
  readonly profile: string;
  readonly help: boolean;
}

/** What `--help` prints. */
export const usage = `npm run bench -- [options]

  --only NAME,…       these cases or groups only (matmul, elementwise, chain, mlp, lenet, conv, gpt, lstm,
                      memory, start, size; or a case such as matmul-256)
  --libraries NAME,…  these libraries only (tapegrad, tfjs-cpu, tfjs-wasm, jax-js, torch)
  --threads N         threads of tapegrad and PyTorch (default 1); the other libraries have one in Node, and tapegrad is
                      measured on one thread as well
  --blas              tapegrad with the BLAS of the system too, with as many threads as PyTorch
  --quick             fewer cases, short rounds: under a minute on a quiet machine
  --json              print the results as JSON instead of tables
  --no-pin            do not keep main threads on one core (done with one thread, where the system can)
  --clock cpu         show time on the processor instead of time that passed; for a machine that is busy
  --profile NAME      show where the time of a case goes in tapegrad, operation by operation (with --blas: in that)
  --reference         compute benchmarks/reference.json anew, by PyTorch in float64
`;

/**
 * Reads the command line. @throws Error naming an option that does not exist or a value that makes no sense
 */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      only: { type: 'string', default: '' },
      libraries: { type: 'string', default: '' },
      threads: { type: 'string', default: '1' },
      blas: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      pin: { type: 'boolean', default: true },
      clock: { type: 'string', default: 'wall' },
      profile: { type: 'string', default: '' },
      reference: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const threads = Number(values.threads);
  if (!Number.isInteger(threads) || threads < 1)
    throw new Error(`--threads takes a whole number from 1, got ${values.threads}`);
  const { clock } = values;
  if (clock !== 'wall' && clock !== 'cpu') throw new Error(`--clock takes wall or cpu, got ${clock}`);
  return { ...values, clock, threads, only: list(values.only), libraries: list(values.libraries) };
}

function list(text: string): string[] {
  return text.split(',').filter((name) => name !== '');
}
