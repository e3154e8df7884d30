import type { Kernels, RowComputation, RowFold, RowOutput, Strided, UpdateComputation, Window } from '../src/backend/types.ts';
import type { DType } from '../src/dtype.ts';
import { constant, Expr, input, param, primitives, print, type PrimitiveName } from '../src/expr/index.ts';
import { numel, type Shape } from '../src/shape.ts';
import { type Draw, sizes } from './draw.ts';

/** One call of a kernel with random operands. */
export interface Trial {
  /** Where results go; every backend gets a copy of its own. */
  readonly outputs: readonly Strided[];
  /** Calls the kernel. */
  run(kernels: Kernels, outputs: readonly Strided[]): void;
  /** Allowed |difference| / (1 + |expected|), 0 for exactness. */
  readonly tolerance: number;
  /** What a failure is reported with. */
  readonly about: readonly unknown[];
}

const all: readonly DType[] = ['float32', 'float64', 'int32', 'uint8', 'bool'];
const numbers: readonly DType[] = ['float32', 'float64', 'int32', 'uint8'];
const wide: readonly DType[] = ['float32', 'float64', 'int32'];
const floats: readonly DType[] = ['float32', 'float64'];
const tolerances: Readonly<Record<DType, number>> = {
  float32: 2e-6,
  float64: 2e-14,
  int32: 0,
  uint8: 0,
  bool: 0,
};

function shapes(...operands: readonly Strided[]): string {
  return operands.map((x) => `${x.dtype} [${x.shape}] by [${x.strides}] + ${x.offset}`).join(', ');
}

/** A shape with a dimension of it; sometimes a scalar, which counts as one line. */
function lines(draw: Draw, minimum = 1): { shape: number[]; dim: number } {
  const rank = draw.one([0, 1, 1, 2, 2, 3, 4]);
  return { shape: draw.shape(rank, minimum), dim: draw.integer(0, Math.max(rank - 1, 0)) };
}

const withSize = (shape: Shape, dim: number, size: number): number[] =>
  shape.map((s, d) => (d === dim ? size : s));

const exactFloats: readonly PrimitiveName[] = [
  'add',
  'sub',
  'mul',
  'neg',
  'abs',
  'min',
  'max',
  'where',
  'floor',
];
const smoothFloats: readonly PrimitiveName[] = [
  'add',
  'sub',
  'mul',
  'tanh',
  'sigmoid',
  'exp',
  'sin',
  'erf',
  'max',
];
const exactIntegers: readonly PrimitiveName[] = [
  'add',
  'sub',
  'mul',
  'neg',
  'abs',
  'min',
  'max',
  'bitXor',
  'bitAnd',
];

/** A random expression of the given depth. */
function expression(
  draw: Draw,
  names: readonly PrimitiveName[],
  leaves: readonly Expr[],
  depth: number,
): Expr {
  if (depth === 0) return draw.one(leaves);
  const name = draw.one(names);
  const { arity } = primitives[name];
  const args = Array.from({ length: arity }, () =>
    expression(draw, names, leaves, draw.integer(0, depth - 1)),
  );
  if (name === 'where') args[0] = draw.one(leaves).lt(draw.one(leaves));
  // What grows fast, or turns fast, would make much of a rounding difference.
  if (name === 'exp' || name === 'sin') args[0] = args[0]!.tanh();
  return Expr.apply(name, args);
}

function elementwise(draw: Draw): Trial {
  const compute = draw.one(wide);
  const smooth = compute !== 'int32' && draw.chance(0.5);
  const names = compute === 'int32' ? exactIntegers : smooth ? smoothFloats : exactFloats;
  const inputCount = draw.integer(1, 6);
  const params = Array.from({ length: draw.integer(0, 3) }, () => draw.integer(-4, 4) / (compute === 'int32' ? 1 : 2));
  const leaves = [
    ...Array.from({ length: inputCount }, (_, i) => input(i)),
    ...params.map((_, i) => param(i)),
    constant(draw.integer(-2, 2)),
  ];
  let expr = expression(draw, names, leaves, draw.integer(1, smooth ? 3 : 2));
  const isComparison = !smooth && draw.chance(0.3);
  if (isComparison) expr = expr.le(draw.one(leaves));
  // A rounding difference before the cut to an integer would make a whole one of it.
  const dtype = smooth ? draw.one(floats) : isComparison && draw.chance(0.7) ? 'bool' : draw.one(all);
  const shape = draw.shape(draw.integer(0, 5), 0);
  const operands = Array.from({ length: inputCount }, () =>
    draw.operand(shape, draw.one([compute, ...all]), 'small'),
  );
  const out = draw.tensor(shape, dtype, 'small');
  const inPlace = draw.chance(0.2);
  return {
    outputs: [out],
    run: (kernels, [result]) =>
      kernels.elementwise(expr, result!, inPlace ? [result!, ...operands.slice(1)] : operands, params, compute),
    tolerance: smooth ? 20 * Math.max(tolerances[compute], tolerances[dtype]) : 0,
    about: [print(expr), compute, inPlace, params, shapes(out, ...operands)],
  };
}

function dense(draw: Draw): Trial {
  const dtype = draw.one(floats);
  const inputCount = draw.integer(1, 4);
  const params = Array.from({ length: draw.integer(0, 3) }, () => draw.integer(-4, 4) / 2);
  const leaves = [...Array.from({ length: inputCount }, (_, i) => input(i)), ...params.map((_, i) => param(i))];
  const expr = expression(draw, smoothFloats, leaves, draw.integer(1, 3));
  const shape = draw.shape(draw.integer(0, 3), 0);
  const drawn = (): Strided => draw.sideBySide(shape, dtype, 'small');
  const [out, ...inputs] = Array.from({ length: inputCount + 1 }, drawn) as [Strided, ...Strided[]];
  const [first, y = null, z = null, w = null] = inputs;
  const inPlace = draw.chance(0.3);
  return {
    outputs: [out],
    run: (kernels, [result]) => kernels.dense(expr, numel(shape), result!, inPlace ? result! : first!, y, z, w, params),
    tolerance: 20 * tolerances[dtype],
    about: [print(expr), inPlace, params, shapes(out, ...inputs)],
  };
}

function copy(draw: Draw): Trial {
  const shape = draw.shape(draw.integer(0, 5), 0);
  const [x, out] = [draw.operand(shape, draw.one(all), 'special'), draw.tensor(shape, draw.one(all))];
  return { outputs: [out], run: (k, [o]) => k.copy(o!, x), tolerance: 0, about: [shapes(out, x)] };
}

function reduce(draw: Draw): Trial {
  const kind = draw.one(['sum', 'prod', 'max', 'min', 'any', 'all'] as const);
  const logical = kind === 'any' || kind === 'all';
  const extreme = kind === 'max' || kind === 'min';
  const dtype = logical ? 'bool' : extreme ? draw.one(all) : draw.one(wide);
  const shape = draw.shape(draw.integer(0, 5), extreme ? 1 : 0);
  const dims = shape.map((_, d) => d).filter(() => draw.chance(0.5));
  const values = kind === 'prod' ? 'near one' : kind === 'sum' && draw.chance(0.7) ? 'plain' : 'special';
  const x = draw.operand(shape, dtype, values);
  const out = draw.tensor(
    shape.map((size, d) => (dims.includes(d) ? 1 : size)),
    dtype,
  );
  const tolerance = extreme ? 0 : 10 * tolerances[dtype];
  return {
    outputs: [out],
    run: (k, [o]) => k.reduce(kind, o!, x, dims),
    tolerance,
    about: [kind, dims, shapes(out, x)],
  };
}

function extremum(draw: Draw): Trial {
  const kind = draw.one(['max', 'min'] as const);
  const { shape, dim } = lines(draw);
  const x = draw.operand(shape, draw.one(all), 'special');
  const reduced = withSize(shape, dim, 1);
  return {
    outputs: [draw.tensor(reduced, x.dtype), draw.tensor(reduced, 'int32')],
    run: (k, [values, indices]) => k.extremum(kind, values!, indices!, x, dim),
    tolerance: 0,
    about: [kind, dim, shapes(x)],
  };
}

function matmul(draw: Draw): Trial {
  const dtype = draw.one(wide);
  const batch = Array.from({ length: draw.integer(0, 2) }, () => draw.integer(1, 3));
  const [m, k, n] = [draw.one([0, ...sizes]), draw.one([0, ...sizes]), draw.one([0, ...sizes.slice(0, -2)])];
  const [a, b] = [draw.operand([...batch, m, k], dtype), draw.operand([...batch, k, n], dtype)];
  const out = draw.tensor([...batch, m, n], dtype);
  const add = dtype.startsWith('float') && draw.chance(0.3);
  const times = draw.chance(0.3) ? 2 : 1;
  return {
    outputs: [out],
    run: (kernels, [o]) => {
      // The second product finds the form that the first one left.
      const right = times > 1 ? { ...b, formSlot: { form: null } } : b;
      for (let i = 0; i < times; i++) kernels.matmul(o!, a, right, add);
    },
    tolerance: 10 * tolerances[dtype],
    about: [add, shapes(out, a, b)],
  };
}

interface Slide extends Window {
  /** Sizes of the spatial dimensions of the input and of the output. */
  readonly inner: number[];
  readonly outer: number[];
}

function slide(draw: Draw, widest: number): Slide {
  const rank = draw.integer(1, 3);
  const each = (low: number, high: number): number[] =>
    Array.from({ length: rank }, () => draw.integer(low, high));
  const [kernel, stride, dilation] = [each(1, widest), each(1, 3), each(1, 2)];
  const padding = kernel.map((k) => draw.integer(0, Math.floor(k / 2)));
  const spans = kernel.map((k, d) => (k - 1) * dilation[d]! + 1);
  const inner = spans.map((span) => span + draw.integer(0, rank === 1 ? 20 : 6));
  const outer = inner.map((size, d) => Math.floor((size + 2 * padding[d]! - spans[d]!) / stride[d]!) + 1);
  return { kernel, stride, padding, dilation, inner, outer };
}

function convolutions(draw: Draw): {
  x: Strided;
  w: Strided;
  g: Strided;
  window: Slide & { groups: number };
} {
  const window = { ...slide(draw, 4), groups: draw.one([1, 1, 2, 3]) };
  const [channels, filters, batch] = [draw.integer(1, 5), draw.integer(1, 5), draw.integer(1, 2)];
  const dtype = draw.one(floats);
  return {
    x: draw.operand([batch, channels * window.groups, ...window.inner], dtype),
    w: draw.operand([filters * window.groups, channels, ...window.kernel], dtype),
    g: draw.operand([batch, filters * window.groups, ...window.outer], dtype),
    window,
  };
}

function convolutionOf(
  draw: Draw,
  name: 'convolution' | 'convolutionInput' | 'convolutionWeight',
  like: 'x' | 'w' | 'g',
): Trial {
  const { window, ...operands } = convolutions(draw);
  const [a, b] = (['g', 'x', 'w'] as const).filter((role) => role !== like).map((role) => operands[role]);
  const out = draw.tensor(operands[like].shape, operands[like].dtype);
  return {
    outputs: [out],
    run: (k, [o]) => k[name](o!, a!, b!, window),
    tolerance: 10 * tolerances[out.dtype],
    about: [window, shapes(out, a!, b!)],
  };
}

function maxPool(draw: Draw): Trial {
  const window = slide(draw, 3);
  const leading = [draw.integer(1, 2), draw.integer(1, 5)];
  const x = draw.operand([...leading, ...window.inner], draw.one(numbers), 'special');
  const outer = [...leading, ...window.outer];
  return {
    outputs: [draw.tensor(outer, x.dtype), draw.tensor(outer, 'int32')],
    run: (k, [values, indices]) => k.maxPool(values!, indices!, x, window),
    tolerance: 0,
    about: [window, shapes(x)],
  };
}

function averagePoolOf(draw: Draw, name: 'averagePool' | 'averagePoolTranspose'): Trial {
  const plain = slide(draw, 3);
  const dilation = plain.dilation.map(() => 1);
  // In ceil mode one more window may start within the input and hang over its end.
  const outer = plain.outer.map((size, d) => {
    const starts = plain.inner[d]! + plain.padding[d]!;
    return draw.chance(0.3) && size * plain.stride[d]! < starts ? size + 1 : size;
  });
  const window = {
    ...plain,
    dilation,
    paddingAfter: plain.padding,
    countIncludePad: draw.chance(0.5),
    divisor: draw.one([null, null, 3]),
  };
  const leading = [draw.integer(1, 2), draw.integer(1, 5)];
  const dtype = draw.one(floats);
  const [from, to] = name === 'averagePool' ? [plain.inner, outer] : [outer, plain.inner];
  const x = draw.operand([...leading, ...from], dtype);
  const out = draw.tensor([...leading, ...to], dtype);
  return {
    outputs: [out],
    run: (k, [o]) => k[name](o!, x, window),
    tolerance: 2 * tolerances[dtype],
    about: [window, shapes(out, x)],
  };
}

function gather(draw: Draw): Trial {
  const { shape, dim } = lines(draw);
  const x = draw.operand(shape, draw.one(all), 'special');
  const outShape = shape.map((size, d) => (d === dim ? draw.integer(0, 2 * size) : draw.integer(1, size)));
  const [index, out] = [draw.indices(outShape, shape[dim] ?? 1), draw.tensor(outShape, x.dtype)];
  return {
    outputs: [out],
    run: (k, [o]) => k.gather(o!, x, index, dim),
    tolerance: 0,
    about: [dim, shapes(out, x, index)],
  };
}

function scatter(draw: Draw): Trial {
  const { shape, dim } = lines(draw);
  const accumulate = draw.chance(0.5);
  const out = draw.tensor(shape, draw.one(all));
  const from = shape.map((size, d) => (d === dim ? draw.integer(0, 2 * size) : draw.integer(1, size)));
  const [index, src] = [draw.indices(from, shape[dim] ?? 1), draw.operand(from, out.dtype)];
  return {
    outputs: [out],
    run: (k, [o]) => k.scatter(o!, index, src, dim, accumulate),
    tolerance: accumulate ? 10 * tolerances[out.dtype] : 0,
    about: [dim, accumulate, shapes(out, index, src)],
  };
}

function scan(draw: Draw): Trial {
  const kind = draw.one(['sum', 'prod', 'max', 'min'] as const);
  const extreme = kind === 'max' || kind === 'min';
  const { shape, dim } = lines(draw, 0);
  const x = draw.operand(shape, draw.one(extreme ? all : wide), extreme ? 'special' : 'near one');
  const out = draw.tensor(shape, x.dtype);
  const indices = extreme && draw.chance(0.7) ? [draw.tensor(shape, 'int32')] : [];
  return {
    outputs: [out, ...indices],
    run: (k, [o, i]) => k.scan(kind, o!, i ?? null, x, dim),
    tolerance: extreme ? 0 : 20 * tolerances[x.dtype],
    about: [kind, dim, shapes(out, x, ...indices)],
  };
}

function sort(draw: Draw): Trial {
  const { shape, dim } = lines(draw, 0);
  const descending = draw.chance(0.5);
  const x = draw.operand(shape, draw.one(all), draw.one(['special', 'small']));
  return {
    outputs: [draw.tensor(shape, x.dtype), draw.tensor(shape, 'int32')],
    run: (k, [values, indices]) => k.sort(values!, indices!, x, dim, descending),
    tolerance: 0,
    about: [dim, descending, shapes(x)],
  };
}

function rows(draw: Draw): Trial {
  const dtype = draw.one(floats);
  const shape = draw.shape(draw.integer(1, 4), 0);
  const columns = shape.at(-1)!;
  const operands = Array.from({ length: draw.integer(1, 4) }, () => {
    const x = draw.operand(shape, draw.one([dtype, dtype, ...all]), 'small');
    const kept = draw.one(['element', 'element', 'column', 'row'] as const);
    const isLast = (d: number): boolean => d === shape.length - 1;
    const repeats = (d: number): boolean => (kept === 'column' && !isLast(d)) || (kept === 'row' && isLast(d));
    return { ...x, strides: x.strides.map((stride, d) => (repeats(d) ? 0 : stride)) };
  });
  const inputCount = operands.length;
  const known: Expr[] = [param(0), constant(draw.integer(-2, 2))];
  operands.forEach((x, i) => x.strides.at(-1) === 0 && known.push(input(i)));
  const elements = (): Expr[] => [...known, ...operands.map((_, i) => input(i)), input(inputCount).div(50)];
  const valueOf = (leaves: Expr[]): Expr => expression(draw, smoothFloats, leaves, draw.integer(0, 2));
  const folds = Array.from({ length: draw.integer(0, 3) }, (_, k): RowFold => {
    const fold = { kind: draw.one(['sum', 'sum', 'max', 'min'] as const), value: valueOf(elements()) };
    // A long sum has a large rounding error, of which a function would see all.
    known.push(input(inputCount + 1 + k).div(fold.kind === 'sum' ? 1000 * (columns + 1) : 1).tanh());
    return fold;
  });
  const outputs = Array.from({ length: draw.integer(1, 3) }, (): RowOutput => {
    const sort = draw.one(['element', 'element', 'column', 'row'] as const);
    return { sort, value: valueOf(sort === 'row' ? known : elements()) };
  });
  const computation: RowComputation = { inputCount, folds, outputs, compiled: { kernels: null } };
  const sizes = {
    element: shape,
    column: shape.map((size, d) => (d === shape.length - 1 ? size : 1)),
    row: withSize(shape, shape.length - 1, 1),
  };
  const results = outputs.map(({ sort }) => draw.tensor(sizes[sort], dtype));
  return {
    outputs: results,
    run: (kernels, outs) => kernels.rows(computation, shape, outs, operands, [columns]),
    tolerance: 50 * tolerances[dtype],
    about: [
      folds.map(({ kind, value }) => `${kind} ${print(value)}`),
      outputs.map(({ sort, value }) => `${sort} ${print(value)}`),
      shapes(...results, ...operands),
    ],
  };
}

function update(draw: Draw): Trial {
  const dtype = draw.one(floats);
  const shape = draw.shape(draw.integer(0, 3), 0);
  const targets = Array.from({ length: draw.integer(1, 4) }, () => draw.tensor(shape, dtype));
  const inputs = Array.from({ length: draw.integer(0, 3) }, () => draw.operand(shape, dtype, 'small'));
  const leaves = [param(0), param(1), ...[...targets, ...inputs].map((_, i) => input(i).tanh())];
  const values = targets.map(() => expression(draw, smoothFloats, leaves, draw.integer(0, 2)));
  const computation: UpdateComputation = { values, paramCount: 2, compiled: { kernels: null } };
  return {
    outputs: targets,
    run: (kernels, outs) => kernels.update(computation, outs, inputs, [0.5, -2]),
    tolerance: 50 * tolerances[dtype],
    about: [values.map((value) => print(value)), shapes(...targets, ...inputs)],
  };
}

/** How to draw a call of each kernel: a new kernel does not compile before it has a line here. */
export const trials: Readonly<Record<keyof Kernels, (draw: Draw) => Trial>> = {
  elementwise,
  dense,
  copy,
  reduce,
  extremum,
  matmul,
  convolution: (draw) => convolutionOf(draw, 'convolution', 'g'),
  convolutionInput: (draw) => convolutionOf(draw, 'convolutionInput', 'x'),
  convolutionWeight: (draw) => convolutionOf(draw, 'convolutionWeight', 'w'),
  maxPool,
  averagePool: (draw) => averagePoolOf(draw, 'averagePool'),
  averagePoolTranspose: (draw) => averagePoolOf(draw, 'averagePoolTranspose'),
  gather,
  scatter,
  scan,
  sort,
  rows,
  update,
};
