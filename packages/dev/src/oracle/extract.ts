// node packages/dev/run.mjs packages/dev/src/oracle/extract.ts FILE… | gzip -9n > EXTRACT: of each operator one or two short
// samples and its shortest error, so that tests need not read the whole file.
import { readOperators } from './files.ts';
import { resultSize, type Operator, type Sample } from './replay.ts';

/** Characters of JSON above which a second sample or an error is left out. */
const LONG = 4000;

/** Characters above which a sample is taken only where there is no other. */
const LONGEST = 60_000;

const lengthOf = (item: unknown): number => JSON.stringify(item).length;

function byLength<T>(list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, length: lengthOf(item) }))
    .sort((a, b) => a.length - b.length)
    .map(({ item }) => item);
}

/** How much a sample tells: derivatives more than values, several elements more than one, and nothing without elements. */
function worth(sample: Sample): number {
  const count = resultSize(sample);
  const orders = Number(sample.grads !== undefined) + Number(sample.gradgrads !== undefined);
  return count === 0 ? 0 : 1 + Number(count > 5) + 2 * orders;
}

/** What the record says beyond the values of its tensors: arguments that other samples do not have tell more. */
const form = ({ args, kwargs }: Sample): string => JSON.stringify([args.length, Object.keys(kwargs)]);

/** The shortest of the samples that tell most, and the shortest that is called in another way. */
function extract({ samples: all, errors }: Operator): Pick<Operator, 'samples' | 'errors'> {
  const short = all.filter((sample) => lengthOf(sample) <= LONGEST);
  const samples = short.length > 0 ? short : all;
  const most = Math.max(...samples.map(worth));
  const [first] = byLength(samples.filter((sample) => worth(sample) === most));
  const others = byLength(samples.filter((sample) => form(sample) !== form(first!) && lengthOf(sample) <= LONG && worth(sample) > 0));
  return {
    samples: [first, others[0]].filter((sample) => sample !== undefined),
    errors: byLength(errors).filter((error) => lengthOf(error) <= LONG).slice(0, 1),
  };
}

for (const operator of process.argv.slice(2).flatMap(readOperators)) {
  const { op, variant, differentiable } = operator;
  console.log(JSON.stringify({ op, variant, differentiable, ...extract(operator) }));
}
