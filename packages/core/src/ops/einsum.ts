import { ShapeError, ValueError } from '../errors.ts';
import { numel, shapeString } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** The subscripts of one operand in numbers from 0 to 51, one per dimension; '...' stands for those not named. */
export type Sublist = readonly (number | '...')[];

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * An equation taken apart. Labels are letters; dimensions that an ellipsis stands for are labelled by their place from
 * the right.
 */
interface Contraction {
  readonly operands: readonly { readonly tensor: Tensor; readonly labels: readonly Label[] }[];
  readonly output: readonly Label[];
}

type Label = string | number;

function failure(message: string): ValueError {
  return new ValueError(`einsum: ${message}`, { op: 'einsum' });
}

/** The labels of one term: letters, and numbers −1, −2, … for the dimensions of an ellipsis. */
function labelsOf(term: string, ellipsis: number): Label[] {
  const labels: Label[] = [];
  for (let i = 0; i < term.length; i++) {
    if (term[i] === '.') {
      if (!term.startsWith('...', i) || term.includes('.', i + 3)) {
        throw failure(`'${term}' has a dot that is not part of one ellipsis ('...')`);
      }
      for (let d = ellipsis; d > 0; d--) labels.push(-d);
      i += 2;
    } else if (LETTERS.includes(term[i]!)) labels.push(term[i]!);
    else throw failure(`subscripts are letters from a to z or A to Z, got '${term[i]}' in '${term}'`);
  }
  return labels;
}

/** How many dimensions the ellipsis of a term stands for. */
function ellipsisRank(term: string, { shape }: Tensor): number {
  const named = [...term].filter((c) => c !== '.').length;
  const rest = shape.length - named;
  if (rest < 0 || (rest > 0 && !term.includes('.'))) {
    throw new ShapeError(
      `einsum: '${term}' has ${named} subscripts for an operand of ${shape.length} dimensions, ${shapeString(shape)}` +
        (rest > 0 ? "; '...' stands for those not named" : ''),
      { op: 'einsum', shapes: [shape] },
    );
  }
  return rest;
}

function parse(equation: string, tensors: readonly Tensor[]): Contraction {
  const [left, right, ...more] = equation.replaceAll(' ', '').split('->');
  if (more.length > 0) throw failure(`'${equation}' has more than one arrow`);
  const terms = left!.split(',');
  if (terms.length !== tensors.length) {
    throw failure(`'${equation}' has ${terms.length} terms on the left, but ${tensors.length} operands were given`);
  }
  const operands = tensors.map((tensor, i) => ({ tensor, labels: labelsOf(terms[i]!, ellipsisRank(terms[i]!, tensor)) }));
  const all = operands.flatMap(({ labels }) => labels);
  const widest = -Math.min(0, ...all.filter((label) => typeof label === 'number'));
  return { operands, output: right === undefined ? impliedOutput(all, widest) : statedOutput(right, all, widest) };
}

/** Without an arrow: the ellipsis, then the letters that stand once, in the order of the alphabet. */
function impliedOutput(all: readonly Label[], widest: number): Label[] {
  const once = [...LETTERS].filter((letter) => all.filter((label) => label === letter).length === 1);
  return [...labelsOf('...', widest), ...once];
}

function statedOutput(term: string, all: readonly Label[], widest: number): Label[] {
  const output = labelsOf(term, widest);
  for (const [i, label] of output.entries()) {
    if (output.indexOf(label) !== i) throw failure(`the output has the subscript ${label} twice`);
    if (!all.includes(label)) throw failure(`the output has the subscript ${label}, which no operand has`);
  }
  return output;
}

/** An operand with one dimension for each label of `order`, of size 1 where it has none; repeated labels are diagonals. */
function aligned({ tensor, labels }: Contraction['operands'][number], order: readonly Label[]): Tensor {
  let x = tensor;
  const own: Label[] = [];
  for (const label of labels) {
    // Dimensions that are done lie in front; a repeated label meets its partner, and their diagonal comes last.
    const before = own.indexOf(label);
    if (before < 0) {
      own.push(label);
      continue;
    }
    const [n, m] = [x.shape[before]!, x.shape[own.length]!];
    if (n !== m) {
      throw new ShapeError(
        `einsum: the subscript ${label} is repeated for dimensions of sizes ${n} and ${m} of ${shapeString(tensor.shape)}`,
        { op: 'einsum', shapes: [tensor.shape] },
      );
    }
    x = x.diagonal(0, before, own.length).movedim(-1, before);
  }
  const present = order.filter((label) => own.includes(label));
  x = x.permute(present.map((label) => own.indexOf(label)));
  let next = 0;
  return x.reshape(order.map((label) => (own.includes(label) ? x.shape[next++]! : 1)));
}

/** Refuses labels whose sizes differ, unless one is 1. */
function checkSizes(operands: readonly Tensor[], order: readonly Label[]): void {
  order.forEach((label, d) => {
    const sizes = [...new Set(operands.map((x) => x.shape[d]!).filter((n) => n !== 1))];
    if (sizes.length < 2) return;
    const name = typeof label === 'string' ? `the subscript ${label}` : `dimension ${label} of the ellipsis`;
    throw new ShapeError(`einsum: ${name} has size ${sizes[0]} in one operand and ${sizes[1]} in another`, { op: 'einsum' });
  });
}

/** Σ over `dims` of x · y, by one batched matrix product. */
function sumOfProducts(x: Tensor, y: Tensor, dims: readonly number[]): Tensor {
  const both = (d: number): boolean => x.shape[d] !== 1 && y.shape[d] !== 1;
  // What only one of the two has is summed before.
  const onlyIn = (t: Tensor): number[] => dims.filter((d) => !both(d) && t.shape[d] !== 1);
  const alone = (t: Tensor): Tensor => (onlyIn(t).length === 0 ? t : t.sum(onlyIn(t), { keepdim: true }));
  const [a, b] = [alone(x), alone(y)];
  const all = x.shape.map((_, d) => d);
  const summed = dims.filter(both);
  const batch = all.filter((d) => both(d) && !summed.includes(d));
  const left = all.filter((d) => !both(d) && b.shape[d] === 1);
  const right = all.filter((d) => !both(d) && b.shape[d] !== 1);
  const size = (t: Tensor, list: readonly number[]): number => numel(list.map((d) => t.shape[d]!));
  const rows = a.permute([...batch, ...left, ...summed, ...right]).reshape([size(a, batch), size(a, left), size(a, summed)]);
  const columns = b.permute([...batch, ...summed, ...right, ...left]).reshape([size(b, batch), size(b, summed), size(b, right)]);
  const order = [...batch, ...left, ...right, ...summed];
  const sizes = order.map((d) => (summed.includes(d) ? 1 : left.includes(d) ? a.shape[d]! : b.shape[d]!));
  return rows.matmul(columns).reshape(sizes).permute(all.map((d) => order.indexOf(d)));
}

/**
 * Sums of products of the elements of tensors, in Einstein's notation: subscripts that the output does not have are
 * summed over. `'...'` stands for dimensions not named, which broadcast; a subscript repeated in one term takes the
 * diagonal. Operands are multiplied from left to right, each pair by one batched matrix product.
 * @example
 * const a = tg.tensor([[1, 2], [3, 4]]);
 * console.log(tg.einsum('ij,jk->ik', a, a).toArray()); // → [ [ 7, 10 ], [ 15, 22 ] ]
 * console.log(tg.einsum(a, [0, 0], []).item()); // → 5
 * @throws ValueError for an equation that cannot be read; ShapeError when operands do not fit it
 * @source torch.einsum
 */
export function einsum(equation: string, ...operands: readonly Tensor[] | readonly [readonly Tensor[]]): Tensor;
export function einsum(...operandsAndSublists: readonly (Tensor | Sublist)[]): Tensor;
export function einsum(first: string | Tensor | Sublist, ...rest: readonly (Tensor | readonly Tensor[] | Sublist)[]): Tensor {
  if (typeof first !== 'string') return einsumOfSublists([first, ...rest] as (Tensor | Sublist)[]);
  const tensors = rest.flat() as Tensor[];
  if (tensors.length === 0 || tensors.some((x) => !(x instanceof Tensor))) {
    throw failure('the operands after the equation must be tensors');
  }
  const { operands, output } = parse(first, tensors);
  const labels = new Set(operands.flatMap((operand) => operand.labels));
  const order = [...output, ...[...labels].filter((label) => !output.includes(label))];
  const pieces = operands.map((operand) => aligned(operand, order));
  checkSizes(pieces, order);
  const summed = order.map((_, d) => d).slice(output.length);
  const lastUse = summed.map((d) => Math.max(0, ...pieces.map((x, i) => (x.shape[d] !== 1 ? i : 0))));
  const dueAt = (i: number): number[] => summed.filter((_, k) => lastUse[k] === i);
  let result = pieces[0]!;
  if (dueAt(0).length > 0) result = result.sum(dueAt(0), { keepdim: true });
  for (let i = 1; i < pieces.length; i++) result = sumOfProducts(result, pieces[i]!, dueAt(i));
  return result.reshape(result.shape.slice(0, output.length));
}

function einsumOfSublists(list: readonly (Tensor | Sublist)[]): Tensor {
  const count = Math.floor(list.length / 2);
  const term = (sublist: Tensor | Sublist | undefined): string => {
    if (!Array.isArray(sublist)) throw failure('operands and lists of subscripts must alternate: einsum(x, [0, 1], y, [1, 2])');
    return (sublist as Sublist)
      .map((n) => {
        const letter = n === '...' ? n : LETTERS[n];
        if (letter === undefined) throw failure(`subscripts in lists are whole numbers from 0 to 51 or '...', got ${String(n)}`);
        return letter;
      })
      .join('');
  };
  const pairs = Array.from({ length: count }, (_, i) => [list[2 * i] as Tensor, term(list[2 * i + 1])] as const);
  const arrow = list.length % 2 === 1 ? `->${term(list.at(-1))}` : '';
  return einsum(pairs.map(([, text]) => text).join(',') + arrow, ...pairs.map(([x]) => x));
}
