// node packages/dev/run.mjs packages/dev/src/oracle/extract.ts FILE… | gzip -9n > EXTRACT: for each operator a short
// sample that tells something, and its shortest error, so that tests need not read the whole file.
import { readOperators } from './files.ts';
import type { Operator } from './replay.ts';

const LONGEST = 6000;

function shortest<T>(list: readonly T[], count: number): T[] {
  return [...list]
    .map((item) => ({ item, length: JSON.stringify(item).length }))
    .filter(({ length }) => length <= LONGEST)
    .sort((a, b) => a.length - b.length)
    .slice(0, count)
    .map(({ item }) => item);
}

/** A few calls of an operator; those whose tensors have several elements are worth more than scalars. */
function extract(operator: Operator): Operator {
  const isTelling = (sample: Operator['samples'][number]): boolean => JSON.stringify(sample.outputs).split(',').length > 6;
  const telling = shortest(operator.samples.filter(isTelling), 1);
  const samples = telling.length > 0 ? telling : shortest(operator.samples, 1);
  return { ...operator, samples, errors: shortest(operator.errors, 1) };
}

for (const operator of process.argv.slice(2).flatMap(readOperators)) {
  const { op, variant, differentiable, samples, errors } = extract(operator);
  if (samples.length + errors.length > 0) console.log(JSON.stringify({ op, variant, differentiable, samples, errors }));
}
