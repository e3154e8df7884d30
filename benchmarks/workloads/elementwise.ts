import type { Case } from '../case.ts';
import type { InputSpec } from '../inputs.ts';

const million: InputSpec = { shape: [1_000_000] };
const rows: InputSpec = { shape: [1000, 1000] };

interface Row {
  readonly operation: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly tolerance?: number;
}

const table: readonly Row[] = [
  { operation: 'add', inputs: { a: million, b: million } },
  { operation: 'axpb', inputs: { x: million } },
  { operation: 'axpb-once', inputs: { x: million } },
  { operation: 'relu', inputs: { x: million } },
  { operation: 'exp', inputs: { x: { ...million, between: [-4, 4] } } },
  { operation: 'tanh', inputs: { x: { ...million, between: [-4, 4] } } },
  { operation: 'gelu', inputs: { x: { ...million, between: [-4, 4] } } },
  // A million float32 added one after the other, as some libraries do, are off in the fifth digit.
  { operation: 'sum', inputs: { x: { ...million, between: [0, 1] } }, tolerance: 2e-4 },
  { operation: 'mean', inputs: { x: { ...million, between: [0, 1] } }, tolerance: 2e-4 },
  { operation: 'softmax', inputs: { x: { ...rows, between: [-4, 4] } } },
  {
    operation: 'layer-norm',
    inputs: { x: rows, weight: { shape: [1000], between: [0.5, 1.5] }, bias: { shape: [1000] } },
  },
];

/**
 * Operations on 1 000 000 elements, forward only: x + y, 1.5 x + 0.5 as two operations and as one, GELU by its tanh formula, rows of 1 000
 * for softmax and layer normalization.
 */
export const elementwise: readonly Case[] = table.map(({ operation, inputs, tolerance = 1e-5 }) => ({
  name: operation,
  group: 'elementwise',
  operation,
  sizes: {},
  inputs,
  unit: { name: 'ns/element', amount: 1_000_000 },
  checkedSteps: 1,
  tolerance,
  quick: operation !== 'mean' && !operation.startsWith('axpb'),
}));
