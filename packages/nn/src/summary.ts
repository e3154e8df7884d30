import {
  currentBackend,
  isFloating,
  noGrad,
  requireOptions,
  scope,
  Tensor,
  toDType,
  ValueError,
  withBackend,
  zeros,
  type DTypeName,
} from '@tapegrad/core';
import { registerModuleForwardHook, registerModuleForwardPreHook } from './hooks.ts';
import type { Module } from './module.ts';

/** What a dry run is given: a shape, a tensor, or one of these for each argument of the model. */
export type SummaryInput = readonly number[] | Tensor | readonly (readonly number[] | Tensor)[];

/** Options of `summary`. */
export interface SummaryOptions {
  /** dtype of the zeros that are passed where a shape is given; default that of the model's parameters. */
  dtype?: DTypeName | undefined;
}

/** One module in a summary. */
export interface SummaryRow {
  /** The path in the model; '' for the model itself. */
  readonly path: string;
  /** The module as errors call it: `Linear 400 → 120`. */
  readonly label: string;
  /** Shapes of the output's tensors in the last call; empty if it was not called. */
  readonly outputShapes: readonly (readonly number[])[];
  /** How many numbers its own parameters have, those of submodules not counted. */
  readonly parameters: number;
  /**
   * Multiplications with additions in its own matrix products and convolutions, those of submodules not
   * counted.
   */
  readonly multiplyAdds: number;
}

/** What a model does with an input of a given shape. */
export interface Summary {
  readonly rows: readonly SummaryRow[];
  readonly totalParameters: number;
  /** Those that require a gradient. */
  readonly trainableParameters: number;
  readonly multiplyAdds: number;
  /** The table. */
  toString(): string;
}

/** What the hooks and kernels of the dry run write down about each module. */
class Protocol {
  readonly shapes = new Map<Module, (readonly number[])[]>();
  readonly counts = new Map<Module, number>();
  readonly #running: Module[] = [];

  enter(module: Module): void {
    this.#running.push(module);
  }

  leave(module: Module, output: unknown): void {
    this.#running.pop();
    this.shapes.set(module, shapesIn(output));
  }

  /** Charges the innermost module that is running. */
  count(products: number): void {
    const module = this.#running.at(-1);
    if (module !== undefined) this.counts.set(module, (this.counts.get(module) ?? 0) + products);
  }
}

function shapesIn(output: unknown): (readonly number[])[] {
  if (output instanceof Tensor) return [output.shape];
  if (typeof output !== 'object' || output === null) return [];
  return Object.values(output).flatMap(shapesIn);
}

const numel = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/**
 * The current backend, counting: products are what matrix products and convolutions ask for, whoever calls
 * them.
 */
function countingBackend(protocol: Protocol): ReturnType<typeof currentBackend> {
  const { name, kernels } = currentBackend();
  return {
    name,
    kernels: {
      ...kernels,
      matmul: (out, a, b) => {
        protocol.count(numel(out.shape) * a.shape.at(-1)!);
        kernels.matmul(out, a, b);
      },
      convolution: (out, x, w, window) => {
        protocol.count(numel(out.shape) * numel(w.shape.slice(1)));
        kernels.convolution(out, x, w, window);
      },
      convolutionInput: (out, g, w, window) => {
        protocol.count(numel(g.shape) * numel(w.shape.slice(1)));
        kernels.convolutionInput(out, g, w, window);
      },
    },
  };
}

/**
 * What a model is made of, and what it does with an input: for each module the shape of its output, its
 * parameters and
 * its multiply-adds, found by a dry run in evaluation mode, after which the model is as it was.
 * @param input the shape of the input, batch included; for several arguments a list; a tensor where zeros
 * will not do, such
 * as ids
 * @throws what the model throws on such an input
 * @example
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * const { totalParameters, multiplyAdds } = nn.summary(model, [1, 4]);
 * console.log(totalParameters, multiplyAdds); // → 58 48
 */
export function summary(model: Module, input: SummaryInput, options: SummaryOptions = {}): Summary {
  requireOptions('summary', options, ['dtype']);
  const { dtype } = options;
  const parameters = model.parameters();
  const floating = parameters.find((parameter) => isFloating(parameter.dtype))?.dtype;
  const type = dtype === undefined ? floating : toDType(dtype);
  const protocol = new Protocol();
  scope(() => dryRun(model, argumentsOf(input, type), protocol));
  const rows = model.namedModules().flatMap(([path, module]) => rowOf(path, module, protocol));
  const count = (list: readonly Tensor[]): number => list.reduce((sum, x) => sum + x.numel(), 0);
  const made = {
    rows,
    totalParameters: count(parameters),
    trainableParameters: count(parameters.filter(({ requiresGrad }) => requiresGrad)),
    multiplyAdds: rows.reduce((sum, row) => sum + row.multiplyAdds, 0),
  };
  return { ...made, toString: () => tableOf(made) };
}

function argumentsOf(input: SummaryInput, dtype: DTypeName | undefined): Tensor[] {
  if (typeof input !== 'object' || input === null) {
    throw new ValueError(`summary: the input is given as its shape, batch included, as in [1, 3, 32, 32]; got ${String(input)}`, {
      op: 'summary',
      argument: 'input',
    });
  }
  const isShape = Array.isArray(input) && input.every((n) => typeof n === 'number');
  const list = (input instanceof Tensor || isShape ? [input] : input) as readonly (
    readonly number[] | Tensor
  )[];
  return list.map((each) => (each instanceof Tensor ? each : zeros([...each], { dtype })));
}

function dryRun(model: Module, args: readonly Tensor[], protocol: Protocol): void {
  const members = new Set(model.modules());
  const modes = [...members].map((module) => [module, module.training] as const);
  const hooks = [
    registerModuleForwardPreHook((module) => {
      if (members.has(module)) protocol.enter(module);
    }),
    registerModuleForwardHook((module, _, output) => {
      if (members.has(module)) protocol.leave(module, output);
    }),
  ];
  try {
    model.eval();
    noGrad(() => withBackend(countingBackend(protocol), () => void model(...args)));
  } finally {
    hooks.forEach((hook) => hook.remove());
    for (const [module, training] of modes) module.training = training;
  }
}

/** The row of a module; none for one that only holds others. */
function rowOf(path: string, module: Module, { shapes, counts }: Protocol): SummaryRow[] {
  const own = module.parameters({ recurse: false });
  if (!shapes.has(module) && own.length === 0) return [];
  return [
    {
      path,
      label: module.label(),
      outputShapes: shapes.get(module) ?? [],
      parameters: own.reduce((sum, x) => sum + x.numel(), 0),
      multiplyAdds: counts.get(module) ?? 0,
    },
  ];
}

/** Columns side by side, numbers at the right. */
function tableOf({
  rows,
  totalParameters,
  trainableParameters,
  multiplyAdds,
}: Omit<Summary, 'toString'>): string {
  const grouped = (n: number): string => n.toLocaleString('en-US');
  const cells = rows.map((row) => [
    row.path === '' ? '(model)' : row.path,
    row.label,
    row.outputShapes.length === 0
      ? 'not called'
      : row.outputShapes.map((shape) => `[${shape.join(', ')}]`).join(' '),
    row.parameters === 0 ? '' : grouped(row.parameters),
    row.multiplyAdds === 0 ? '' : grouped(row.multiplyAdds),
  ]);
  const total = ['total', '', '', grouped(totalParameters), grouped(multiplyAdds)];
  const lines = [['layer', 'kind', 'output', 'parameters', 'multiply-adds'], ...cells, total];
  const widths = lines[0]!.map((_, c) => Math.max(...lines.map((line) => line[c]!.length)));
  const text = lines.map((line) =>
    line
      .map((cell, c) => (c < 3 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  text.splice(1, 0, rule);
  text.splice(-1, 0, rule);
  const frozen = totalParameters - trainableParameters;
  return [...text, ...(frozen === 0 ? [] : [`${grouped(frozen)} of the parameters do not learn`])].join('\n');
}
