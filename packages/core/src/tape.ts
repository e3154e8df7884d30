import type { Shape } from './shape.ts';
import { isFloating, type DType } from './dtype.ts';
import { GradError } from './errors.ts';
import { modes } from './modes.ts';
import { recordStorages } from './storage.ts';
import type { Tensor } from './tensor.ts';

/** A gradient, or null for "none", which is cheaper than zeros and means the same. */
export type Gradient = Tensor | null;

/**
 * What the tape knows of an operation: its name and how to push a gradient back through one recorded call.
 * The rule is a tensor program, so that it can be recorded itself.
 */
export interface Rule {
  readonly name: string;
  /** The name of its nodes where it is not made from `name`. */
  readonly title?: string;
  /** Gradients of the outputs in, gradients of the inputs out (null where not needed). At least one of `grads` is set. */
  vjp(node: Node, grads: readonly Gradient[]): readonly Gradient[];
  /**
   * The same for nodes of one output, without lists: gives each gradient to `receiver` as soon as it is computed. What it has
   * made until then and does not give is freed.
   */
  push?(node: Node, grad: Tensor, receiver: Receiver): void;
  /** False for code of users, which may keep what it is given; the engine then never frees it early. */
  readonly trusted?: boolean;
}

/** Takes the gradients of a node's inputs. */
export interface Receiver {
  receive(node: Node, i: number, gradient: Tensor): void;
}

/** Called with a gradient; may return another one to go on with. */
export type GradHook = (grad: Tensor) => Tensor | null | undefined | void;
/** Called with the gradients of a node's outputs; may return others. */
export type NodePreHook = (gradOutputs: readonly Gradient[]) => readonly Gradient[] | null | undefined | void;
/** Called with the gradients of a node's inputs and outputs; may return other input gradients. */
export type NodeHook = (
  gradInputs: readonly Gradient[],
  gradOutputs: readonly Gradient[],
) => readonly Gradient[] | null | undefined | void;

/** Hooks of one node, made when the first is registered. */
export interface NodeHooks {
  /** In order of registration: on the gradient of output `slot`, before anything else sees it. */
  readonly tensor: Set<{ slot: number; hook: GradHook }>;
  readonly pre: Set<{ hook: NodePreHook }>;
  readonly post: Set<{ hook: NodeHook }>;
  /** Tensors whose `.grad` is to receive the gradient of an output. */
  readonly retain: Map<number, Tensor>;
  readonly postAccumulate: Set<{ hook: (leaf: Tensor) => void }>;
}

/** Shape and dtype of a node's output, for making zeros. */
export interface OutputMeta {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Removes what it was returned for; calling it again does nothing. Works with `using`. */
export interface RemovableHandle {
  remove(): void;
  [Symbol.dispose](): void;
}

/** Whether the engine made a gradient, nobody outside has seen it, and only one place waits for it. */
export function isOwn(gradient: Tensor): boolean {
  const { storage } = gradient;
  return storage.transient && storage.references === 1 && gradient.isContiguous();
}

/** How saved tensors are put away and brought back, while somebody says so. */
export interface SavedTensorsHooks {
  readonly pack: (x: Tensor) => unknown;
  readonly unpack: (packed: never) => Tensor;
}

/** A saved tensor that was put away, and its place in the graph. */
class Packed {
  readonly value: unknown;
  readonly hooks: SavedTensorsHooks;
  readonly place: () => { readonly node: Node | null; readonly slot: number };

  constructor(x: Tensor, hooks: SavedTensorsHooks, place: Packed['place']) {
    const { version } = x.storage;
    this.value = hooks.pack(x.detach());
    this.hooks = hooks;
    this.place = place;
    if (x.storage.version !== version) {
      throw new GradError('savedTensorsHooks: pack changed its argument in place; it must leave it alone and return another value');
    }
  }

  /** What users' code makes here is theirs: the backward pass that runs must not free it. */
  unpack(): Tensor {
    const before = recordStorages(null);
    try {
      return this.hooks.unpack(this.value as never);
    } finally {
      recordStorages(before);
    }
  }
}

let counter = 0;

/** One recorded call of an operation. */
export class Node {
  /** Counts nodes in order of creation; falling ids are an order for walking back. */
  readonly id: number = counter++;
  readonly rule: Rule;
  readonly attrs: unknown;
  /** The nodes that made the inputs, null where an input needs no gradient. */
  readonly inputs: readonly (Node | null)[];
  /** Which output of `inputs[i]` it was. */
  readonly slots: readonly number[];
  /** Shapes and dtypes of the outputs, kept where there are several or a user's code makes them. */
  readonly outputs: readonly OutputMeta[];
  /** Saved values: inputs first, at their positions, then outputs and whatever else; null once released. */
  private saved: readonly (Tensor | Packed | null)[] | null;
  private versions: readonly number[];
  hooks: NodeHooks | null = null;
  /** Where the operation was called, when anomaly mode was on. */
  readonly stack: string | null;
  // State of the backward pass that is running.
  task = 0;
  dependencies = 0;
  /** What has come to the only output so far, or to all of several. */
  gradient: Gradient = null;
  gradients: Gradient[] | null = null;

  constructor(
    rule: Rule,
    attrs: unknown,
    inputs: readonly (Node | null)[],
    slots: readonly number[],
    outputs: readonly OutputMeta[],
    saved: readonly (Tensor | null)[],
  ) {
    this.rule = rule;
    this.attrs = attrs;
    this.inputs = inputs;
    this.slots = slots;
    this.outputs = outputs;
    this.saved = saved;
    this.versions = versionsOf(saved);
    if (modes.savedHooks !== null) this.pack(modes.savedHooks);
    this.stack = modes.anomaly ? callSite() : null;
  }

  /** The operation's name as PyTorch prints it: `MulBackward0`. */
  get name(): string {
    const { name, title } = this.rule;
    if (title !== undefined) return title;
    return `${name.replace(/(^|_)([a-z0-9])/g, (_, __, c: string) => c.toUpperCase())}Backward0`;
  }

  /** The nodes that the gradients go to, with the output that each input was. */
  get nextFunctions(): readonly (readonly [Node | null, number])[] {
    return this.inputs.map((node, i) => [node, this.slots[i]!] as const);
  }

  /** Whether input `i` wants a gradient. */
  needs(i: number): boolean {
    return this.inputs[i] !== null && this.inputs[i] !== undefined;
  }

  /**
   * While a backward pass runs the rule of this node: the sum of gradients that waits for input `i`, if the rule may add
   * to it in place (and then return null) because nobody else can see the sum or the addend.
   */
  ownSum(i: number): Tensor | null {
    const next = this.inputs[i];
    if (modes.grad || modes.anomaly || this.hooks !== null || !next) return null;
    const sum = next.gradients === null ? next.gradient : next.gradients[this.slots[i]!];
    return sum && isOwn(sum) ? sum : null;
  }

  /** While a backward pass runs the rule of this node: whether a gradient's place may be used for another one, since nobody else can see it. */
  mayOverwrite(gradient: Tensor): boolean {
    return !modes.grad && !modes.anomaly && this.hooks === null && isOwn(gradient);
  }

  /** Takes the present version of a saved value as the right one: an in-place operation saved what it then wrote. */
  refreshVersion(i: number): void {
    const tensor = this.saved?.[i] as Tensor | null | undefined;
    if (!tensor || this.versions === PACKED) return;
    this.versions = this.versions.map((version, k) => (k === i ? tensor.storage.version : version));
  }

  /** The saved input `i`, with its graph. */
  input(i: number): Tensor {
    return this.savedTensor(i);
  }

  /** The saved output `i`, with its graph. */
  output(i: number): Tensor {
    return this.savedTensor(this.inputs.length + i);
  }

  /**
   * A saved value, with the graph that it had when it was saved.
   * @throws GradError if it was released by an earlier backward pass or changed in place since
   */
  savedTensor(i: number): Tensor {
    if (this.saved === null) throw this.releasedError();
    const value = this.saved[i];
    if (value === null || value === undefined) throw new GradError(`${this.name} did not save value ${i}`);
    if (this.versions === PACKED) return this.unpacked(value as Packed);
    const tensor = value as Tensor;
    if (tensor.storage.version !== this.versions[i]) throw this.modifiedError(i, tensor);
    return modes.grad && i < this.inputs.length ? this.inItsPlace(tensor, i) : tensor;
  }

  /** A saved input with the graph that it had. */
  private inItsPlace(tensor: Tensor, i: number): Tensor {
    const node = this.inputs[i]!;
    // Cut from its graph in place since: give it back the one that it had.
    return node === null || tensor.edge() === node ? tensor : tensor.withGraph(node, this.slots[i]!);
  }

  /** Puts the saved values away as the hooks say. */
  private pack(hooks: SavedTensorsHooks): void {
    this.saved = this.saved!.map((x, i) => (x === null ? null : new Packed(x as Tensor, hooks, this.placeOf(x as Tensor, i))));
    this.versions = PACKED;
  }

  /** Where a saved value stands in the graph; results of this node are about to get their place. */
  private placeOf(x: Tensor, i: number): Packed['place'] {
    const k = i - this.inputs.length;
    if (k < 0) return () => ({ node: this.inputs[i]!, slot: this.slots[i]! });
    // Code of users may save anything, in any order.
    if (this.rule.trusted === false) return () => ({ node: x.edge(), slot: x.slot });
    const isResult = k < Math.max(this.outputs.length, 1) && isFloating(x.dtype);
    return () => ({ node: isResult ? this : null, slot: k });
  }

  /** What the hooks bring back, at the place in the graph of what they put away. */
  private unpacked(packed: Packed): Tensor {
    const value = packed.unpack();
    if (!modes.grad) return value;
    const { node, slot } = packed.place();
    return node === null ? value : value.detach().withGraph(node, slot);
  }

  private releasedError(): GradError {
    return new GradError(
      `Trying to backward through the graph a second time: the values that ${this.name} saved were released by the ` +
        `first backward(). Pass { retainGraph: true } to the first call if you need both, or add the losses up. If ` +
        `this is a training loop, a tensor from the last step is still connected: use h = h.detach()`,
      { op: this.rule.name },
    );
  }

  private modifiedError(i: number, tensor: Tensor): GradError {
    const producer = i < this.inputs.length ? this.inputs[i] : this;
    const origin = producer ? `, which is output ${i < this.inputs.length ? this.slots[i] : 0} of ${producer.name},` : '';
    return new GradError(
      `one of the variables needed for gradient computation has been modified by an inplace operation: ` +
        `${tensor.dtype} [${tensor.shape.join(', ')}]${origin} is at version ${tensor.storage.version}; expected version ` +
        `${this.versions[i]} instead, as when ${this.name} saved it. Use the operation without the trailing underscore, ` +
        `or clone() the tensor first; detectAnomaly shows where ${this.name} was recorded` +
        (this.stack === null ? '' : `:\n${this.stack}`),
      { op: this.rule.name, shapes: [tensor.shape] },
    );
  }

  /** Gives the saved values up; the node can still run if it needs none. */
  release(): void {
    if (this.saved !== null && this.saved.length > 0) this.saved = null;
  }

  /** Registers a hook that runs after the node, on the gradients of its inputs. */
  registerHook(hook: NodeHook): RemovableHandle {
    return addTo(hooksOf(this).post, { hook });
  }

  /** Registers a hook that runs before the node, on the gradients of its outputs. */
  registerPrehook(hook: NodePreHook): RemovableHandle {
    return addTo(hooksOf(this).pre, { hook });
  }
}

const FRAMES = 40;

/** Where a node is being recorded, without the frames of the engine; and what for, if a backward pass records it. */
function callSite(): string {
  const traces = Error as { stackTraceLimit?: number };
  const limit = traces.stackTraceLimit;
  if (limit !== undefined) traces.stackTraceLimit = FRAMES;
  const frames = (new Error('recorded').stack ?? '').split('\n').slice(1);
  if (limit !== undefined) traces.stackTraceLimit = limit;
  // Frames of this package's own files carry its folder.
  const home = import.meta.url.replace(/^file:\/\//, '').replace(/[^/]*$/, '');
  const outside = frames.filter((frame) => !frame.includes(home));
  const stack = (outside.length > 0 ? outside : frames).join('\n');
  const { running } = modes;
  if (running === null) return stack;
  return `${stack}\nwhile the gradient of ${running.name} was computed, which was recorded here:\n${running.stack ?? '    unknown'}`;
}

/** The versions of values that were never changed in place, for as many as an ordinary node saves; shared. */
const FIRST_VERSIONS: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0];

/** Instead of versions, where saved values were put away. */
const PACKED: readonly number[] = [];

const versionOf = (tensor: Tensor | null): number => (tensor === null ? 0 : tensor.storage.version);

function versionsOf(saved: readonly (Tensor | null)[]): readonly number[] {
  let isFirst = saved.length <= FIRST_VERSIONS.length;
  for (let i = 0; i < saved.length && isFirst; i++) {
    const tensor = saved[i]!;
    isFirst = tensor === null || tensor.storage.version === 0;
  }
  return isFirst ? FIRST_VERSIONS : saved.map(versionOf);
}

/** The node's hooks, made if need be. */
export function hooksOf(node: Node): NodeHooks {
  return (node.hooks ??= {
    tensor: new Set(),
    pre: new Set(),
    post: new Set(),
    retain: new Map(),
    postAccumulate: new Set(),
  });
}

/** Adds an entry to a set of hooks and returns the handle that takes it out. */
export function addTo<T>(set: Set<T>, entry: T): RemovableHandle {
  set.add(entry);
  const remove = (): void => {
    set.delete(entry);
  };
  return { remove, [Symbol.dispose]: remove };
}
