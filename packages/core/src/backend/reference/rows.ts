import { nodesOf, primitives, type Expr } from '../../expr/index.ts';
import type { Kernels, RowFold } from '../types.ts';
import { eachIndex, store, temporary, viewOf } from './ndarray.ts';

/** A function of inputs and parameters. */
type Formula = (inputs: readonly number[], params: readonly number[]) => number;

function formulaOf(expr: Expr): Formula {
  const nodes = nodesOf(expr);
  const place = new Map(nodes.map((node, i) => [node, i]));
  const steps = nodes.map(({ name, value, args }): ((at: number[], inputs: readonly number[], params: readonly number[]) => number) => {
    if (name === 'constant') return () => value;
    if (name === 'input') return (_, inputs) => inputs[value]!;
    if (name === 'param') return (_, __, params) => params[value]!;
    if (name === 'output') throw new TypeError('the forward result stands in an expression to evaluate');
    const [a = 0, b = 0, c = 0] = args.map((arg) => place.get(arg)!);
    const { js } = primitives[name];
    return (at) => js(at[a]!, at[b]!, at[c]!);
  });
  return (inputs, params) => {
    const values: number[] = [];
    for (const step of steps) values.push(step(values, inputs, params));
    return values.at(-1)!;
  };
}

const folds: Readonly<Record<RowFold['kind'], { start: number; take: (total: number, value: number) => number }>> = {
  sum: { start: 0, take: (total, value) => total + value },
  max: { start: -Infinity, take: (total, value) => (value > total ? value : total) },
  min: { start: Infinity, take: (total, value) => (value < total ? value : total) },
};

/** Row by row: the folds one after the other, then the outputs. */
export const rows: Kernels['rows'] = (computation, shape, outs, inputs, params) => {
  const views = inputs.map(viewOf);
  const results = outs.map((out) => temporary(out.shape));
  const foldValues = computation.folds.map(({ value }) => formulaOf(value));
  const outputValues = computation.outputs.map(({ value }) => formulaOf(value));
  const columns = shape.at(-1)!;
  eachIndex(shape.slice(0, -1), (row) => {
    const elements = Array.from({ length: columns }, (_, j) => [...views.map((view) => view.get(...row, j)), j]);
    const scalars: number[] = [];
    computation.folds.forEach(({ kind }, k) => {
      let total = folds[kind].start;
      for (const element of elements) total = folds[kind].take(total, foldValues[k]!([...element, ...scalars], params));
      scalars.push(total);
    });
    computation.outputs.forEach(({ sort }, o) => {
      const result = results[o]!;
      if (sort === 'row') {
        // Inputs that belong to the row are the same in all its elements; there may be none.
        const first = elements[0] ?? [...views.map((view, i) => (inputs[i]!.strides.at(-1) === 0 ? view.get(...row, 0) : NaN)), 0];
        result.set(...row, 0, outputValues[o]!([...first, ...scalars], params));
        return;
      }
      elements.forEach((element, j) => {
        const value = outputValues[o]!([...element, ...scalars], params);
        if (sort === 'element') result.set(...row, j, value);
        else {
          const place = [...row.map(() => 0), j];
          result.set(...place, result.get(...place) + value);
        }
      });
    });
  });
  outs.forEach((out, o) => store(out, results[o]!));
};
