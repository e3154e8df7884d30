import type { FormSlot, Strided } from '../backend/types.ts';
import { custom } from '../define/rules.ts';
import { empty, kernels } from '../dispatch.ts';
import { DTypeError, GradError, ShapeError } from '../errors.ts';
import { Layout } from '../layout.ts';
import { modes } from '../modes.ts';
import { cat } from '../ops/joining.ts';
import { shapeString } from '../shape.ts';
import type { Storage } from '../storage.ts';
import type { Gradient, Node } from '../tape.ts';
import { Tensor } from '../tensor.ts';

/** A weight that the hidden states of all steps are multiplied by, and what is kept for it. */
interface StepWeight {
  readonly storage: Storage;
  readonly version: number;
  /** Where backends keep it in the form that products want: with its transpose, and with itself. */
  readonly forward: FormSlot | null;
  readonly backward: FormSlot | null;
  /** While a backward pass runs: by what the weight was multiplied in each step, and its version then. */
  readonly rows: { readonly x: Tensor; readonly version: number }[];
}

/** The steps of a pass, each with its piece of what the products are added to. @internal */
export interface StepProducts {
  readonly pieces: readonly Tensor[];
  readonly weight: Tensor;
  readonly shared: StepWeight;
}

/** One of the steps that share a weight. */
interface Step {
  readonly shared: StepWeight;
  readonly t: number;
}

/**
 * The pieces of a sum. The gradient of the weight, Σ gᵢᵀ xᵢ over the steps, is that of all pieces times all that was
 * multiplied: one product instead of one per step, each of which would read and write all of it.
 */
const cut = custom<{ readonly lengths: readonly number[]; readonly shared: StepWeight }>('recurrent_linear', {
  results: 'all',
  forward: ([sum], { lengths }) => {
    const { storage, shape, strides, dtype } = sum!;
    let { offset } = sum!;
    const pieces: Tensor[] = [];
    for (const length of lengths) {
      pieces.push(new Tensor(storage, offset, new Layout([length, shape[1]!], strides, dtype)));
      offset += length * strides[0]!;
    }
    return pieces;
  },
  vjp: (node, gradients, { lengths, shared }, [sum]) => {
    const parts: Tensor[] = [];
    const rows: Tensor[] = [];
    for (let t = 0; t < lengths.length; t++) {
      const g = gradients[t] ?? null;
      if (g !== null) rows.push(unchanged(shared.rows[t]!));
      parts.push(g ?? empty([lengths[t]!, sum!.shape[1]!], sum!.dtype).zero_());
    }
    const all = cat(parts);
    if (!node.needs(1)) return [all, null];
    const used = rows.length === parts.length ? all : cat(parts.filter((_, t) => gradients[t]));
    return [node.needs(0) ? all : null, used.t().matmul(cat(rows))];
  },
});

function unchanged({ x, version }: StepWeight['rows'][number]): Tensor {
  if (x.storage.version === version) return x;
  throw new GradError(
    `recurrent_linear: a hidden state ${shapeString(x.shape)} was changed in place while the backward pass ran, before the ` +
      'gradient of the weight was computed from it; let the hook change a clone()',
    { op: 'recurrent_linear', shapes: [x.shape] },
  );
}

const sumOfProduct = custom<Step | null>('recurrent_linear', {
  savesInputs: [1, 2],
  forward: ([sum, x, w], step) => {
    kernels().matmul(sum!, x!, inForm(w!.detach().t(), step, 'forward'), true);
    // No view and no new version: nobody reads these elements as they were.
    return [sum!.detach()];
  },
  vjp: (node, [g], step) => {
    const toX = node.needs(1) ? timesWeight(g!, node.input(2), step) : null;
    if (!node.needs(2)) return [g!, toX, null];
    const x = node.input(1);
    if (step === null) return [g!, toX, weightGradient(node, g!, x)];
    step.shared.rows[step.t] = { x, version: x.storage.version };
    return [g!, toX, null];
  },
});

/** gᵀ x, added to the sum of other calls' where that may be. */
function weightGradient(node: Node, g: Tensor, x: Tensor): Gradient {
  const sum = node.ownSum(2);
  if (sum === null) return g.t().matmul(x);
  kernels().matmul(sum, g.t(), x, true);
  sum.storage.version++;
  return null;
}

function timesWeight(g: Tensor, w: Tensor, step: Step | null): Tensor {
  if (step === null || modes.grad) return g.matmul(w);
  const out = empty([g.shape[0]!, w.shape[1]!], g.dtype);
  kernels().matmul(out, g, inForm(w, step, 'backward'));
  return out;
}

/** A weight as products see it; a form that was kept counts only while the weight is what it was. */
function inForm({ storage, offset, shape, strides, dtype, owner }: Tensor, step: Step | null, slot: 'forward' | 'backward'): Strided {
  const isSame = step !== null && storage === step.shared.storage && storage.version === step.shared.version;
  return { storage, offset, shape, strides, dtype, owner, formSlot: isSame ? step.shared[slot] : null };
}

/**
 * Prepares products of one weight with the rows of many steps, each to be added to a piece of `sum`.
 * @param sum a result that nobody else has or reads: the steps take its memory
 * @param lengths rows of each step
 * @shape sum [Σ lengths, out], weight [out, in]
 * @internal
 */
export function stepProducts(sum: Tensor, weight: Tensor, lengths: readonly number[]): StepProducts {
  const { storage } = weight;
  // A form pays from the second product on.
  const slot = (): FormSlot | null => (lengths.length > 1 ? { form: null } : null);
  const shared = { storage, version: storage.version, forward: slot(), backward: slot(), rows: [] };
  return { pieces: cut([sum, weight], { lengths, shared }), weight, shared };
}

/**
 * Piece t + x weightᵀ; each piece is taken once.
 * @shape x [lengths[t], in] -> [lengths[t], out]
 * @throws ShapeError and DTypeError when they do not fit
 * @internal
 */
export function stepProduct({ pieces, weight, shared }: StepProducts, t: number, x: Tensor): Tensor {
  return checkedSum(pieces[t]!, x, weight, { shared, t });
}

/**
 * sum + x wᵀ, in the memory of `sum`, which must be a result that nobody else has or reads.
 * @shape [N, out], [N, in], [out, in] -> [N, out]
 * @throws ShapeError and DTypeError when they do not fit
 * @internal
 */
export function plusLinear(sum: Tensor, x: Tensor, weight: Tensor): Tensor {
  return checkedSum(sum, x, weight, null);
}

function checkedSum(sum: Tensor, x: Tensor, weight: Tensor, step: Step | null): Tensor {
  if (x.dtype !== weight.dtype || sum.dtype !== weight.dtype) {
    throw new DTypeError(
      `recurrent_linear: the gates are ${sum.dtype}, the hidden state ${x.dtype} and its weight ${weight.dtype}; all must have ` +
        `the same dtype. Convert the others: x.to('${weight.dtype}')`,
      { op: 'recurrent_linear', dtypes: [sum.dtype, x.dtype, weight.dtype] },
    );
  }
  const [[rows, out], [count, size]] = [sum.shape, x.shape];
  if (rows !== count || out !== weight.shape[0] || size !== weight.shape[1]) {
    throw new ShapeError(
      `recurrent_linear: the gates are ${shapeString(sum.shape)}, the hidden state ${shapeString(x.shape)} and its weight ` +
        `${shapeString(weight.shape)}; expected [N, out], [N, in] and [out, in]`,
      { op: 'recurrent_linear', shapes: [sum.shape, x.shape, weight.shape] },
    );
  }
  return sumOfProduct([sum, x, weight], step)[0]!;
}
