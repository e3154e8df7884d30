import { nodeProcess } from './node-process.ts';

/**
 * Makes `WeakRef.deref()` tell the truth in the middle of synchronous code, where the platform can: V8's full garbage
 * collection, after a checkpoint of a microtask queue of its own, which lets go of what this job has looked at. Node has
 * both (about 3 ms for a small program); a browser has neither, and there the truth comes with the next task.
 */
type Collect = () => void;

let collect: Collect | null | undefined;

/** Runs the garbage collector, so that weak references to what is dead are empty; false where that can't be had. */
export function collectGarbage(): boolean {
  if (collect === undefined) collect = findCollector();
  collect?.();
  return collect !== null;
}

function findCollector(): Collect | null {
  const process = nodeProcess();
  if (typeof process?.getBuiltinModule !== 'function') return null;
  try {
    const v8 = process.getBuiltinModule('node:v8');
    const vm = process.getBuiltinModule('node:vm');
    v8.setFlagsFromString('--expose-gc');
    const gc = vm.runInNewContext('gc');
    v8.setFlagsFromString('--no-expose-gc');
    const ownQueue = vm.createContext({}, { microtaskMode: 'afterEvaluate' });
    const nothing = new vm.Script('0');
    const run = (): void => {
      nothing.runInContext(ownQueue);
      gc();
    };
    const probe = weakReference();
    run();
    return probe.deref() === undefined ? run : null;
  } catch {
    return null;
  }
}

/** To an object that nobody holds. */
function weakReference(): WeakRef<object> {
  return new WeakRef({});
}
