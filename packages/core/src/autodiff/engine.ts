import { addInto } from '../accumulate.ts';
import { modes } from '../modes.ts';
import { freeStorage, recordStorages, type Storage } from '../storage.ts';
import { isOwn, type Gradient, type Node, type Receiver } from '../tape.ts';
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
  readonly gradient: Gradient;
  readonly gradients: Gradient[] | null;
}

let tasks = 0;
const running: number[] = [];

/** Number of the walk that is running, -1 outside of one. */
export function currentTask(): number {
  return running.at(-1) ?? -1;
}

/** What the steps of one walk share. */
class Progress implements Receiver {
  readonly plan: Walk;
  /** The nodes that are to run, and whether; null for all. */
  readonly needed: ReadonlyMap<Node, boolean> | null;
  readonly captured: Captures | null;
  /** Leaves that wait for nothing more. */
  readonly leaves: Node[] = [];
  /** What the running rule makes. */
  readonly made: Storage[] = [];
  /** Where results of everything else are listed, if they are. */
  readonly outer: Storage[] | null;

  constructor(plan: Walk, needed: ReadonlyMap<Node, boolean> | null) {
    this.plan = plan;
    this.needed = needed;
    this.captured = plan.capture ? new Captures(plan.targets ?? []) : null;
    this.outer = recordStorages(this.made);
  }

  /** Hands on a gradient that a rule has pushed. */
  receive({ inputs, slots }: Node, i: number, gradient: Tensor): void {
    gradient.storage.references++;
    this.settle();
    this.handTo(inputs[i]!, slots[i]!, gradient);
  }

  /** Leaves a gradient, with its reference, at an output of a node, if anything follows from it there. */
  handTo(node: Node | null, slot: number, gradient: Tensor): void {
    if (node !== null && (this.needed === null || this.needed.has(node))) deposit(node, slot, gradient, this);
    else unreference(gradient);
  }

  /** Frees what the running rule has made, unless it is on its way or somebody keeps it. */
  settle(): void {
    const { made, outer } = this;
    while (made.length > 0) {
      const storage = made.pop()!;
      if (storage.references > 0) {
        storage.transient = true;
        outer?.push(storage);
      } else if (!storage.kept) freeStorage(storage);
    }
  }
}

/**
 * Walks the tape back from the roots: nodes by falling id, so that all that depends on one comes before it, and leaves as soon
 * as they are ready. Returns the gradients at the targets.
 */
export function walk(plan: Walk): Gradient[] {
  const task = ++tasks;
  const shadows: Shadow[] = [];
  const visited = discover(plan.roots, task, shadows);
  const needed = plan.targets === null ? null : neededFor(plan.targets, visited, !plan.capture);
  const progress = new Progress(plan, needed);
  const gradBefore = modes.grad;
  modes.grad = plan.createGraph;
  running.push(task);
  let isDone = false;
  try {
    start(progress);
    for (let i = 0; i < visited.length; i++) {
      const node = visited[i]!;
      if (node.inputs.length > 0 && (needed === null || needed.has(node))) runNode(node, progress);
      if (progress.leaves.length > 0) runLeaves(progress);
    }
    isDone = needed === null;
    return progress.captured?.gradients ?? [];
  } finally {
    running.pop();
    recordStorages(progress.outer);
    modes.grad = gradBefore;
    if (!isDone) visited.forEach(leave);
    for (const { node, ...state } of shadows) Object.assign(node, state);
  }
}

/** Puts the seeds at the roots. */
function start(progress: Progress): void {
  const { plan, needed, leaves } = progress;
  plan.roots.forEach(({ node, slot }, i) => {
    if (needed !== null && !needed.has(node)) return;
    const seed = plan.seeds[i]!;
    seed.storage.references++;
    progress.handTo(node, slot, seed);
    if (node.inputs.length === 0 && node.dependencies === 0) leaves.push(node);
  });
}

function runLeaves(progress: Progress): void {
  const { leaves } = progress;
  for (let i = 0; i < leaves.length; i++) runNode(leaves[i]!, progress);
  leaves.length = 0;
}

/** How many nodes the last walk had: room for as many is made at once, since lists that grow are copied. */
let lastCount = 0;
const MOST_ROOM = 4096;

/** The nodes that the roots reach, by falling id; leaves stand anywhere. Counts how many of them feed each. */
function discover(roots: readonly Edge[], task: number, shadows: Shadow[]): Node[] {
  const visited = new Array<Node>(Math.min(lastCount, MOST_ROOM));
  let count = 0;
  for (const { node } of roots) if (enter(node, task, shadows)) visited[count++] = node;
  let isFalling = true;
  let last = Infinity;
  for (let i = 0; i < count; i++) {
    const { id, inputs } = visited[i]!;
    if (inputs.length === 0) continue;
    if (id > last) isFalling = false;
    last = id;
    for (let k = 0; k < inputs.length; k++) {
      const next = inputs[k]!;
      if (next === null) continue;
      if (enter(next, task, shadows)) visited[count++] = next;
      next.dependencies++;
    }
  }
  lastCount = visited.length = count;
  return isFalling ? visited : visited.sort(byFallingId);
}

const byFallingId = (a: Node, b: Node): number => b.id - a.id;

/** Ends the part of a node in a walk. */
function leave(node: Node): void {
  node.task = 0;
  node.gradient = null;
  node.gradients = null;
}

/** Begins the part of a node in a walk; false if it has begun. */
function enter(node: Node, task: number, shadows: Shadow[]): boolean {
  if (node.task === task) return false;
  if (node.task !== 0) {
    const { dependencies, gradient, gradients } = node;
    shadows.push({ node, task: node.task, dependencies, gradient, gradients });
  }
  node.task = task;
  node.dependencies = 0;
  node.gradient = null;
  node.gradients = null;
  return true;
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

const NO_GRADIENTS: readonly Gradient[] = [];

/** Runs a node, if a gradient came to it, and hands on what comes out of it. */
function runNode(node: Node, progress: Progress): void {
  const { gradient, hooks, rule } = node;
  if (gradient === null || rule.push === undefined || hooks !== null || progress.plan.createGraph || modes.anomaly) {
    runByLists(node, gradient === null ? (node.gradients ?? NO_GRADIENTS) : [gradient], progress);
    return;
  }
  const { needed, captured, plan } = progress;
  leave(node);
  captured?.take(node, [gradient]);
  if (needed === null || needed.get(node) === true) {
    if (modes.tracer === null) rule.push(node, gradient, progress);
    else modes.tracer.backward(rule.name, push, node, gradient, progress);
    if (!plan.retainGraph) node.release();
  }
  unreference(gradient);
  countDown(node, progress);
}

function push(node: Node, gradient: Tensor, progress: Progress): void {
  node.rule.push!(node, gradient, progress);
}

/** The same for nodes and walks that need lists. */
function runByLists(node: Node, incoming: readonly Gradient[], progress: Progress): void {
  let gradients = incoming;
  let results = NO_GRADIENTS;
  leave(node);
  if (hasGradient(gradients)) {
    const { needed, captured, plan } = progress;
    if (node.hooks !== null) gradients = aside(progress.outer, runTensorHooks, node, gradients, plan.createGraph);
    captured?.take(node, gradients);
    if (needed === null || needed.get(node) === true) {
      if (node.hooks !== null) gradients = aside(progress.outer, runPreHooks, node, gradients);
      results = applyRule(node, gradients, progress);
      if (node.hooks !== null) results = aside(progress.outer, runPostHooks, node, results, gradients);
      if (modes.anomaly && modes.checkNaN) checkForNaN(node, results);
    }
    for (let i = 0; i < gradients.length; i++) if (gradients[i]) unreference(gradients[i]!);
  }
  handOn(node, results, progress);
  countDown(node, progress);
}

/** Gives results to the nodes that they are for; each brings its reference along. */
function handOn({ inputs, slots }: Node, results: readonly Gradient[], progress: Progress): void {
  const count = Math.min(inputs.length, results.length);
  for (let i = 0; i < count; i++) if (results[i]) progress.handTo(inputs[i]!, slots[i]!, results[i]!);
}

/** One node less that the inputs' nodes wait for. */
function countDown({ inputs }: Node, { needed, leaves }: Progress): void {
  for (let i = 0; i < inputs.length; i++) {
    const next = inputs[i]!;
    if (next === null) continue;
    if (--next.dependencies === 0 && next.inputs.length === 0 && (needed === null || needed.has(next))) leaves.push(next);
  }
}

function hasGradient(gradients: readonly Gradient[]): boolean {
  for (let i = 0; i < gradients.length; i++) if (gradients[i]) return true;
  return false;
}

/**
 * Runs a rule. What it made and did not return is freed at once; what it returned may be freed after its last use,
 * unless somebody outside can see it. Results come with one reference each.
 */
function applyRule(node: Node, gradients: readonly Gradient[], progress: Progress): readonly Gradient[] {
  const { plan, made, outer } = progress;
  const isTracked = !plan.createGraph && node.rule.trusted !== false;
  if (!isTracked) gradients.forEach((g) => expose(g ?? null));
  // What a leaf makes, its hooks included, is there to stay.
  const list = node.inputs.length === 0 ? null : isTracked ? made : outer;
  const results = list === made ? applyWatched(node, gradients) : aside(list, applyWatched, node, gradients);
  for (let i = 0; i < results.length; i++) if (results[i]) results[i]!.storage.references++;
  progress.settle();
  if (!plan.retainGraph) node.release();
  return results;
}

/** Runs what may be code of users, or makes what stays, while results are listed elsewhere or nowhere. */
function aside<A extends readonly unknown[], R>(list: Storage[] | null, run: (...args: A) => R, ...args: A): R {
  const before = recordStorages(list);
  try {
    return run(...args);
  } finally {
    recordStorages(before);
  }
}

function applyWatched(node: Node, gradients: readonly Gradient[]): readonly Gradient[] {
  const { tracer } = modes;
  return tracer === null ? pullBack(node, gradients) : tracer.backward(node.rule.name, pullBack, node, gradients);
}

function pullBack(node: Node, gradients: readonly Gradient[]): readonly Gradient[] {
  return modes.anomaly ? runWatched(node, gradients) : node.rule.vjp(node, gradients);
}

/**
 * Adds a gradient to what waits at an output of a node, and takes over its reference. Sums are made in place once the sum is
 * the engine's own.
 */
function deposit(node: Node, slot: number, gradient: Tensor, progress: Progress): void {
  if (slot === 0 && node.outputs.length <= 1 && node.gradients === null) {
    const sum = node.gradient;
    node.gradient = sum === null ? gradient : sumOf(sum, gradient, progress);
    return;
  }
  const waiting = (node.gradients ??= emptySlots(node, slot));
  const sum = waiting[slot];
  waiting[slot] = sum ? sumOf(sum, gradient, progress) : gradient;
}

function sumOf(sum: Tensor, gradient: Tensor, { plan: { createGraph }, outer }: Progress): Tensor {
  let total = sum;
  if (!createGraph && isOwn(sum)) addInto(sum, gradient);
  else {
    total = aside(outer, add, sum, gradient);
    total.storage.transient = !createGraph;
    total.storage.references++;
    unreference(sum);
  }
  unreference(gradient);
  return total;
}

const add = (x: Tensor, y: Tensor): Tensor => x.add(y);

/** Room for the gradients of a node's outputs, of which the first may have come. */
function emptySlots(node: Node, slot: number): Gradient[] {
  const slots = new Array<Gradient>(Math.max(node.outputs.length, slot + 1)).fill(null);
  slots[0] = node.gradient;
  node.gradient = null;
  return slots;
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
