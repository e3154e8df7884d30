import { isGradEnabled, optimizing, peekGrad, warnOnce, type StepWatch, type Tensor } from '@tapegrad/core';
import type { Module } from './module.ts';

/** How many models are remembered at a time, and for how many steps of optimizers. */
const MOST_WATCHES = 8;
const MOST_STEPS = 64;

/** How many calls of modules are still looked at: a loop that goes wrong does so from the start. */
export const calls: { toWatch: number } = { toWatch: 1000 };

/** Modules that were called in training, with all below them. */
const called = new WeakSet<Module>();

type Check = (name: string, params: ReadonlySet<Tensor>, model: Module) => boolean;

/** Has a model looked at before the next steps that change some of its parameters, without keeping it alive. */
function watch(model: Module, check: Check): void {
  const reference = new WeakRef(model);
  let steps = MOST_STEPS;
  const look: StepWatch = (name, params) => {
    const found = reference.deref();
    if (found === undefined || steps-- === 0) return true;
    const changed = new Set(params);
    return found.parameters().some((parameter) => changed.has(parameter)) && check(name, changed, found);
  };
  optimizing.watches = [...optimizing.watches, look].slice(-MOST_WATCHES);
}

/** Watches a model that is called in training: every gradient that it gets should reach an optimizer. */
export function watchCall(model: Module): void {
  calls.toWatch--;
  if (!model.training || !isGradEnabled() || called.has(model)) return;
  // Those below it are called by it.
  for (const module of model.modules()) called.add(module);
  watch(model, checkCoverage);
}

function checkCoverage(name: string, changed: ReadonlySet<Tensor>, model: Module): boolean {
  const learning = model.namedParameters().filter(([, parameter]) => parameter.requiresGrad && peekGrad(parameter) !== null);
  if (learning.length === 0 && [...changed].every((parameter) => peekGrad(parameter) === null)) {
    warnOnce(
      'step without gradients',
      `${name}.step() finds no gradients, although ${model.label()} was called. Call loss.backward() before it.`,
    );
  }
  const left = learning.filter(([, parameter]) => !optimizing.params.has(parameter)).map(([path]) => path);
  if (left.length > 0) {
    const paths = left.slice(0, 3).join(', ') + (left.length > 3 ? `, … (${left.length} in all)` : '');
    warnOnce(
      'parameters without optimizer',
      `${name}.step(): no optimizer has these parameters of ${model.label()}, which get gradients: ${paths}. Give it ` +
        'model.parameters(), or freeze them by requiresGrad_(false).',
    );
  }
  return true;
}

/** Watches a model that was switched to evaluation: it should be back in training before it learns. */
export function watchEvaluation(model: Module): void {
  watch(model, checkMode);
}

function checkMode(name: string, changed: ReadonlySet<Tensor>, model: Module): boolean {
  const modal = model.training ? undefined : model.modules().find((module) => module.dependsOnMode && !module.training);
  if (modal === undefined) return true;
  const own = new Set<Tensor>(model.parameters());
  // Parts may be kept in evaluation on purpose, whole models that learn hardly ever are.
  const learning = [...changed].filter((parameter) => peekGrad(parameter) !== null);
  if (learning.length === 0) return false;
  if (learning.every((parameter) => own.has(parameter))) {
    warnOnce(
      'step in evaluation',
      `${name}.step() changes ${model.label()} in evaluation mode, where ${modal.label()} does something else than in training. ` +
        'Call train() behind eval().',
    );
  }
  return true;
}
