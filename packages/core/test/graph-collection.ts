// Started with --expose-gc by a test: prints which parts of graphs the garbage collector took.
import * as tg from '../src/index.ts';

const collect = (globalThis as { gc?: () => void }).gc!;

/** WeakRefs are cleared only between tasks. */
async function stateOf(...refs: WeakRef<object>[]): Promise<'collected' | 'alive' | 'mixed'> {
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    collect();
  }
  const alive = refs.filter((ref) => ref.deref() !== undefined).length;
  return alive === 0 ? 'collected' : alive === refs.length ? 'alive' : 'mixed';
}

class Keep extends tg.Function {
  static saved: WeakRef<object> | null = null;
  static forward(ctx: tg.FunctionContext, x: tg.Tensor): tg.Tensor {
    const kept = x.mul(2);
    Keep.saved = new WeakRef(kept);
    ctx.saveForBackward(kept);
    return x.mul(x);
  }
  static backward(ctx: tg.FunctionContext, gradient: tg.Tensor): tg.Tensor {
    return gradient.mul(ctx.savedTensors[0]);
  }
}

if (tg.currentBackend().name === 'none') await tg.useBackend('reference');
const leaf = tg.tensor([1, 2], { requiresGrad: true });

function makeGraphs(): WeakRef<object>[] {
  const refs: WeakRef<object>[] = [];
  for (let i = 0; i < 100; i++) {
    const y = leaf.exp().mul(leaf);
    refs.push(new WeakRef(y), new WeakRef(y.gradFn!), new WeakRef(y.gradFn!.nextFunctions[0]![0]!));
  }
  return refs;
}

/** A tensor that only its node holds, and the root that holds the node. */
function makeSaved(): { root: tg.Tensor; saved: WeakRef<object> } {
  const hidden = leaf.mul(2);
  return { root: hidden.mul(hidden).sum(), saved: new WeakRef(hidden) };
}

function makeHookCycle(): WeakRef<object>[] {
  const y = leaf.exp();
  y.registerHook((gradient) => gradient.mul(y));
  y.gradFn!.registerHook(() => void y.shape);
  y.retainGrad();
  y.mul(2).sum().backward();
  return [new WeakRef(y), new WeakRef(y.gradFn!)];
}

const graphs = await stateOf(...makeGraphs());
const once = makeSaved();
const savedBefore = await stateOf(once.saved);
once.root.backward();
const savedAfterBackward = await stateOf(once.saved);
const again = makeSaved();
again.root.backward(null, { retainGraph: true });
const savedWithRetainGraph = await stateOf(again.saved);
const custom = Keep.apply(leaf).sum();
custom.backward();
const customSavedAfterBackward = await stateOf(Keep.saved!);
const hookCycles = await stateOf(...makeHookCycle());
console.log(
  JSON.stringify({ graphs, savedBefore, savedAfterBackward, savedWithRetainGraph, customSavedAfterBackward, hookCycles }),
);
// What was asked about has to be reachable until here.
if (once.root.gradFn === null || again.root.gradFn === null || custom.gradFn === null) throw new Error('no graph');
