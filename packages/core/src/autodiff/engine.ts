import { addInto } from '../accumulate.ts';
import { modes } from '../modes.ts';
import { freeStorage, recordStorages, type Storage } from '../storage.ts';
import { isOwn, type Gradient, type Node } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { checkForNaN, runWatched } from './anomaly.ts';
import { runPostHooks, runPreHooks, runTensorHooks } from './hooks.ts';

/** Where a gradient enters or leaves the walk: an output of a node. */
export interface Edge {
  readonly node: Node;
  readonly slot: number;
}

/** What one walk back over the tape is to do. */
export interface Walk {
  readonly roots: readonly Edge[];
  readonly seeds: readonly Tensor[];
  /** Where gradients are wanted; null means every leaf that is reached. */
  readonly targets: readonly Edge[] | null;
  /** Return the gradients at the targets instead of running the targets' own nodes, which add them to `.grad`. */
  readonly capture: boolean;
  /** Keep the saved values for another walk. */
  readonly retainGraph: boolean;
  /** Record the walk itself. */
  readonly createGraph: boolean;
}

/** State of a node that an outer walk was using when an inner one came by. */
interface Shadow {
  readonly node: Node;
  readonly task: number;
  readonly dependencies: number;
  readonly gradients: Gradient[] | null;
}

let tasks = 0;
const running: number[] = [];

/** Number of the walk that is running, -1 outside of one. */
export function currentTask(): number {
  return running.at(-1) ?? -1;
}

/**
 * Walks the tape back from the roots: nodes by falling id once all that depends on them is done, leaves as soon as
 * they are ready. Returns the gradients at the targets.
 */
export function walk(plan: Walk): Gradient[] {
  const task = ++tasks;
  const shadows: Shadow[] = [];
  const visited = discover(plan.roots, task, shadows);
  const needed = plan.targets === null ? null : neededFor(plan.targets, visited, !plan.capture);
  const captured = plan.capture ? new Captures(plan.targets ?? []) : null;
  const gradBefore = modes.grad;
  modes.grad = plan.createGraph;
  running.push(task);
  try {
    const queue = new ReadyQueue();
    plan.roots.forEach(({ node, slot }, i) => {
      if (needed === null || needed.has(node)) deposit(node, slot, plan.seeds[i]!, plan.createGraph);
    });
    for (const node of new Set(plan.roots.map((root) => root.node))) {
      if (node.dependencies === 0 && (needed === null || needed.has(node))) queue.push(node);
    }
    for (let node = queue.pop(); node !== null; node = queue.pop()) {
      runNode(node, plan, needed, captured, queue);
    }
    last.queue = queue;
    return captured?.gradients ?? [];
  } finally {
    running.pop();
    modes.grad = gradBefore;
    for (const node of visited) {
      node.task = 0;
      node.gradients = null;
    }
    for (const { node, ...state } of shadows) Object.assign(node, state);
  }
}

/** Marks the nodes that the roots reach and counts how many of them feed each. */
function discover(roots: readonly Edge[], task: number, shadows: Shadow[]): Node[] {
  const visited: Node[] = [];
  const enter = (node: Node): void => {
    if (node.task !== 0) {
      shadows.push({ node, task: node.task, dependencies: node.dependencies, gradients: node.gradients });
    }
    node.task = task;
    node.dependencies = 0;
    node.gradients = null;
    visited.push(node);
  };
  for (const { node } of roots) if (node.task !== task) enter(node);
  for (let i = 0; i < visited.length; i++) {
    const { inputs } = visited[i]!;
    for (let k = 0; k < inputs.length; k++) {
      const next = inputs[k]!;
      if (next === null) continue;
      if (next.task !== task) enter(next);
      next.dependencies++;
    }
  }
  return visited;
}

/** The nodes on a path from the roots to a target, the targets' own included, and whether they are to run. */
function neededFor(targets: readonly Edge[], visited: readonly Node[], runTargets: boolean): Map<Node, boolean> {
  const needed = new Map<Node, boolean>();
  const reached = new Set(visited);
  for (const { node } of targets) if (reached.has(node)) needed.set(node, runTargets);
  for (const node of [...visited].sort((a, b) => a.id - b.id)) {
    if (node.inputs.some((next) => next !== null && needed.has(next))) needed.set(node, true);
  }
  return needed;
}

/** Gradients at the targets of a walk, by the node that they come by. */
class Captures {
  readonly gradients: Gradient[];
  private readonly targets: readonly Edge[];
  private readonly positions = new Map<Node, number[]>();

  constructor(targets: readonly Edge[]) {
    this.targets = targets;
    this.gradients = targets.map(() => null);
    targets.forEach(({ node }, i) => {
      const list = this.positions.get(node);
      if (list === undefined) this.positions.set(node, [i]);
      else list.push(i);
    });
  }

  take(node: Node, gradients: readonly Gradient[]): void {
    const positions = this.positions.get(node);
    if (positions === undefined) return;
    for (const i of positions) {
      this.gradients[i] = expose(gradients[this.targets[i]!.slot] ?? null);
    }
  }
}

function runNode(
  node: Node,
  plan: Walk,
  needed: Map<Node, boolean> | null,
  captured: Captures | null,
  queue: ReadyQueue,
): void {
  let gradients = node.gradients ?? [];
  node.gradients = null;
  const isSet = hasGradient(gradients);
  if (isSet && node.hooks !== null) gradients = runTensorHooks(node, gradients, plan.createGraph);
  captured?.take(node, gradients);
  const runs = isSet && (needed === null || needed.get(node) === true);
  if (runs && node.hooks !== null) gradients = runPreHooks(node, gradients);
  let results = runs ? applyRule(node, gradients, plan) : [];
  if (runs && node.hooks !== null) results = runPostHooks(node, results, gradients);
  if (runs && modes.anomaly && modes.checkNaN) checkForNaN(node, results);
  for (let i = 0; i < gradients.length; i++) if (gradients[i]) unreference(gradients[i]!);
  const { inputs, slots } = node;
  for (let i = 0; i < inputs.length; i++) {
    const next = inputs[i]!;
    const gradient = results[i] ?? null;
    if (gradient !== null) {
      if (next !== null && (needed === null || needed.has(next))) deposit(next, slots[i]!, gradient, plan.createGraph);
      unreference(gradient);
    }
    if (next !== null && --next.dependencies === 0 && (needed === null || needed.has(next))) queue.push(next);
  }
}

function hasGradient(gradients: readonly Gradient[]): boolean {
  for (let i = 0; i < gradients.length; i++) if (gradients[i]) return true;
  return false;
}

/** The list of storages that the running rule makes; a rule that walks the tape itself takes another one. */
let spareList: Storage[] | null = [];

/**
 * Runs a rule. What it made and did not return is freed at once; what it returned may be freed after its last use,
 * unless somebody outside can see it. Results come with one reference each.
 */
function applyRule(node: Node, gradients: readonly Gradient[], plan: Walk): readonly Gradient[] {
  const track = !plan.createGraph && node.rule.trusted !== false;
  if (!track) gradients.forEach((g) => expose(g ?? null));
  const made = spareList ?? [];
  spareList = null;
  const before = recordStorages(null);
  // What a leaf makes, its hooks included, is there to stay.
  if (node.inputs.length > 0) recordStorages(track ? made : before);
  let results: readonly Gradient[];
  try {
    const { tracer } = modes;
    results = tracer === null ? pullBack(node, gradients) : tracer.backward(node.rule.name, pullBack, node, gradients);
  } finally {
    recordStorages(before);
  }
  for (let i = 0; i < results.length; i++) if (results[i]) results[i]!.storage.references++;
  for (let storage = made.pop(); storage !== undefined; storage = made.pop()) {
    if (storage.references > 0) {
      storage.transient = true;
      before?.push(storage);
    } else if (!storage.kept) freeStorage(storage);
  }
  spareList = made;
  if (!plan.retainGraph) node.release();
  return results;
}

function pullBack(node: Node, gradients: readonly Gradient[]): readonly Gradient[] {
  return modes.anomaly ? runWatched(node, gradients) : node.rule.vjp(node, gradients);
}

/** Adds a gradient to what waits at an output of a node. Sums are made in place once the sum is the engine's own. */
function deposit(node: Node, slot: number, gradient: Tensor, createGraph: boolean): void {
  const waiting = (node.gradients ??= emptySlots(node, slot));
  const sum = waiting[slot];
  if (sum === undefined || sum === null) {
    waiting[slot] = gradient;
    gradient.storage.references++;
    return;
  }
  if (!createGraph && isOwn(sum)) {
    addInto(sum, gradient);
    return;
  }
  const total = sum.add(gradient);
  total.storage.transient = !createGraph;
  total.storage.references++;
  waiting[slot] = total;
  unreference(sum);
}

/** Room for the gradients of a node's outputs, of which nearly always there is one. */
function emptySlots(node: Node, slot: number): Gradient[] {
  return node.outputs.length <= 1 && slot === 0 ? [null] : Array.from({ length: Math.max(node.outputs.length, slot + 1) }, () => null);
}

/** One gradient on its way less; frees it when it was the last and nobody else can have it. */
function unreference(gradient: Tensor): void {
  const { storage } = gradient;
  if (--storage.references <= 0) {
    storage.references = 0;
    if (storage.transient) freeStorage(storage);
  }
}

/** Marks a gradient as seen from outside, so that the engine neither frees nor changes it. */
export function expose<G extends Gradient>(gradient: G): G {
  if (gradient !== null) gradient.storage.transient = false;
  return gradient;
}

/** The last one, empty; kept, as V8 forgets the code that it made for objects when a collection of garbage finds none of them. */
const last: { queue?: ReadyQueue } = {};

/** Nodes that are ready to run: the newest first, but leaves (which have no inputs) before all. */
class ReadyQueue {
  private readonly heap: Node[] = [];
  private readonly leaves: Node[] = [];

  push(node: Node): void {
    if (node.inputs.length === 0) {
      this.leaves.push(node);
      return;
    }
    const { heap } = this;
    let i = heap.length;
    heap.push(node);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (heap[parent]!.id >= node.id) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = node;
  }

  pop(): Node | null {
    const leaf = this.leaves.shift();
    if (leaf !== undefined) return leaf;
    const { heap } = this;
    const top = heap[0];
    if (top === undefined) return null;
    const last = heap.pop()!;
    if (heap.length > 0) this.sink(last);
    return top;
  }

  private sink(node: Node): void {
    const { heap } = this;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.id > heap[child]!.id) child++;
      if (heap[child]!.id <= node.id) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = node;
  }
}
