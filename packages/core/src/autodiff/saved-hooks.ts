import { GradError } from '../errors.ts';
import { modes, ModeScope, runInside } from '../modes.ts';
import type { Tensor } from '../tensor.ts';

let refusal: string | null = null;

/**
 * Says what is done with every tensor that the tape saves: it is stored as `pack(x)` and read back by `unpack`, to put it
 * somewhere else, to compress it, or to compute it anew. Runs `body` so, or opens such a scope for `using`; the innermost
 * pair counts. `pack` gets the values without their graph, once for every place that saves them.
 * @param pack must not change its argument
 * @throws GradError if such hooks are disabled here, or `pack` changes its argument in place
 * @example
 * const x = tg.tensor(3, { requiresGrad: true });
 * const y = tg.savedTensorsHooks((t: tg.Tensor) => t.item(), (n: number) => tg.tensor(n), () => x.mul(x));
 * y.backward();
 * console.log(x.grad.item()); // → 6
 * @source torch.autograd.graph.saved_tensors_hooks
 */
export function savedTensorsHooks<P>(pack: (x: Tensor) => P, unpack: (packed: P) => Tensor): ModeScope;
export function savedTensorsHooks<P, T>(pack: (x: Tensor) => P, unpack: (packed: P) => Tensor, body: () => T): T;
export function savedTensorsHooks<P, T>(pack: (x: Tensor) => P, unpack: (packed: P) => Tensor, body?: () => T): T | ModeScope {
  const enter = (): (() => void) => {
    if (refusal !== null) throw new GradError(refusal, { op: 'savedTensorsHooks' });
    const before = modes.savedHooks;
    modes.savedHooks = { pack, unpack: unpack as (packed: never) => Tensor };
    return () => (modes.savedHooks = before);
  };
  return body === undefined ? new ModeScope(enter()) : runInside('savedTensorsHooks', enter, body);
}

/**
 * Makes `savedTensorsHooks` throw the message while `body` runs, where they would do harm.
 * @source torch.autograd.graph.disable_saved_tensors_hooks
 */
export function disableSavedTensorsHooks<T>(message: string, body: () => T): T {
  const enter = (): (() => void) => {
    const before = refusal;
    refusal = message;
    return () => (refusal = before);
  };
  return runInside('disableSavedTensorsHooks', enter, body);
}
