import { enableGrad, fullLike, keep, noGrad, optimizing, peekGrad, requireOptions, tensor, Tensor, ValueError } from '@tapegrad/core';
import type { RemovableHandle } from '@tapegrad/core';
import { checkGradients, runWatches, WATCHED_STEPS, type UsedGradients } from './habits.ts';
import { Hooks, throughHooks, withStepHooks } from './hooks.ts';
import type { HookOptions, StateDictHook, StateHook, StepPostHook, StepPreHook } from './hooks.ts';
import { camelCase, mapKeys, snakeCase } from './names.ts';
import { requireInRange, withDefaults } from './options.ts';

/** A value that an optimizer remembers. */
export type StateValue = Tensor | number | readonly StateValue[];

/** What an optimizer remembers of one parameter: tensors of its shape, numbers such as the step count, lists of them. */
export type ParameterState = Record<string, StateValue>;

/** Parameters that share options. The options are read at every step, so they may be changed at any time. */
export type ParamGroup<Options> = Options & { params: Tensor[]; initialLr?: number };

/** A group as it is given: parameters, and the options in which it differs from the defaults. */
export type ParamGroupInput<Options> = Partial<Options> & { params: Iterable<Tensor> | Tensor };

/** Parameters, or groups of them. */
export type ParamsInput<Options> = Iterable<Tensor> | Iterable<ParamGroupInput<Options>>;

/** A value of `stateDict`: plain data and tensors. */
export type OptimizerStateDict = {
  state: Record<string, Record<string, StateValue>>;
  param_groups: (Record<string, unknown> & { params: number[] })[];
};

/**
 * Base of all optimizers: groups, state, and the frame of a step. A subclass says what happens to one parameter.
 * @source torch.optim.Optimizer
 */
export abstract class Optimizer<Options extends { lr: number }> {
  /** The groups, each with its options and parameters; schedulers and users change the options here. */
  readonly paramGroups: ParamGroup<Options>[] = [];
  /** What is remembered of each parameter, made at its first step. */
  readonly state: Map<Tensor, ParameterState> = new Map();
  /** The options that groups get unless they say otherwise. */
  readonly defaults: Options;
  /** Calls of `step` so far. @internal */
  stepCount = 0;
  private readonly usedGradients: UsedGradients = new Map();
  private readonly hooks: Hooks = new Hooks();

  /**
   * @throws ValueError when there are no parameters, one is given twice, or one is not a leaf
   */
  constructor(params: ParamsInput<Options>, defaults: Options) {
    this.defaults = defaults;
    if (params instanceof Tensor) {
      throw new ValueError('params must be an array (or another iterable) of tensors or groups, got a single Tensor; use [x]');
    }
    const list = [...(params as Iterable<Tensor | ParamGroupInput<Options>>)];
    if (list.length === 0) throw new ValueError('optimizer got an empty parameter list');
    if (list.some((item) => item instanceof Tensor)) this.addParamGroup({ params: list } as unknown as ParamGroupInput<Options>);
    else for (const group of list) this.addParamGroup(group as ParamGroupInput<Options>);
  }

  /**
   * Adds a group; options that it leaves out are the defaults.
   * @throws ValueError, before anything has changed, for what is no group of leaves, is optimized already, or an option that is
   * unknown or out of range
   */
  addParamGroup(group: ParamGroupInput<Options>): void {
    const params = groupParams(group);
    for (const p of params) {
      if (!(p instanceof Tensor)) throw new ValueError(`optimizer can only optimize Tensors, but one of the params is ${typeof p}`);
      if (!p.isLeaf && !p.retainsGrad) throw new ValueError("can't optimize a non-leaf Tensor; pass the parameter itself");
    }
    const known = new Set(this.paramGroups.flatMap((g) => g.params));
    if (params.some((p) => known.has(p))) throw new ValueError('some parameters appear in more than one parameter group');
    if (new Set(params).size !== params.length) throw new ValueError('a parameter appears twice in one parameter group');
    const complete = { ...withDefaults(this.defaults, group as Partial<Options>, true), params };
    this.check(complete);
    this.paramGroups.push(complete);
    for (const p of params) optimizing.params.add(p);
  }

  /** What of a parameter's state is a number here; PyTorch keeps it in tensors of one element. */
  protected readonly numbers: readonly string[] = ['step'];

  /** Refuses options that make no sense. @throws ValueError naming the option and its value */
  protected check(options: Options): void {
    requireInRange(options);
  }

  /** Changes one parameter by its gradient. */
  protected abstract update(param: Tensor, grad: Tensor, state: ParameterState, options: Options): void;

  /**
   * Changes every parameter that has a gradient; the others are left alone entirely.
   * @param closure computes the loss anew, with gradients; its result is returned
   */
  step(): undefined;
  step<T>(closure: () => T): T;
  step(...given: unknown[]): unknown {
    return withStepHooks(this, this.hooks, given, ([closure, ...others]) => {
      if ((closure !== undefined && typeof closure !== 'function') || others.length > 0) {
        throw new ValueError(`${this.constructor.name}.step takes a closure or nothing, got ${String(others[0] ?? closure)}`);
      }
      return this.advance(closure as (() => unknown) | undefined);
    });
  }

  /** The step between its hooks. */
  protected advance(closure: (() => unknown) | undefined): unknown {
    const loss = closure === undefined ? undefined : enableGrad(closure);
    if (this.stepCount < WATCHED_STEPS || optimizing.watches.length > 0) this.checkHabits();
    noGrad(() => {
      for (const group of this.paramGroups) {
        for (const param of group.params) {
          const grad = peekGrad(param);
          if (grad === null) continue;
          let state = this.state.get(param);
          if (state === undefined) this.state.set(param, (state = {}));
          this.update(param, grad, state, group);
        }
      }
    });
    this.stepCount++;
    return loss;
  }

  private checkHabits(): void {
    const params = this.paramGroups.flatMap((group) => group.params);
    runWatches(this.constructor.name, params);
    if (this.stepCount >= WATCHED_STEPS) return;
    checkGradients(this.constructor.name, params, this.usedGradients);
    if (this.stepCount === WATCHED_STEPS - 1) this.usedGradients.clear();
  }

  /** Forgets all gradients, or with `setToNone: false` fills them with zeros. */
  zeroGrad(options: { setToNone?: boolean } = {}): void {
    requireOptions('zeroGrad', options, ['setToNone']);
    for (const { params } of this.paramGroups) {
      for (const param of params) {
        if (options.setToNone === false && param.grad !== null) param.grad = param.grad.detach().zero_();
        else param.grad = null;
      }
    }
  }

  /** As `zeroGrad`, under PyTorch's name. */
  zero_grad(options: { setToNone?: boolean } = {}): void {
    this.zeroGrad(options);
  }

  /**
   * State and options in PyTorch's layout and names: parameters are numbered over the groups in order. The tensors
   * are the optimizer's own; save or clone them before the next step.
   */
  stateDict(): OptimizerStateDict {
    for (const hook of this.hooks.stateDictPre) hook(this);
    const order = this.paramGroups.flatMap((g) => g.params);
    const state: OptimizerStateDict['state'] = {};
    order.forEach((param, i) => {
      const entry = this.state.get(param);
      if (entry !== undefined) state[i] = mapKeys(entry, snakeCase);
    });
    let next = 0;
    const param_groups = this.paramGroups.map(({ params, ...options }) => {
      return { ...mapKeys(options as Record<string, unknown>, snakeCase), params: params.map(() => next++) };
    });
    return throughHooks(this, this.hooks.stateDictPost, { state, param_groups });
  }

  /**
   * Takes over state and options from `stateDict`, as copies.
   * @throws ValueError, before anything has changed, when the groups do not match those of this optimizer or an option
   * is out of range
   */
  loadStateDict(dict: OptimizerStateDict): void {
    this.takeOver(throughHooks(this, this.hooks.loadPre, dict));
    for (const hook of this.hooks.loadPost) hook(this);
  }

  /** Takes over state and options, between the hooks. */
  protected takeOver(dict: OptimizerStateDict): void {
    const groups = dict.param_groups;
    if (groups.length !== this.paramGroups.length) {
      throw new ValueError(
        `loaded state dict has a different number of parameter groups: ${groups.length} instead of ${this.paramGroups.length}`,
      );
    }
    groups.forEach(({ params }, i) => {
      const expected = this.paramGroups[i]!.params.length;
      if (params.length !== expected) {
        throw new ValueError(
          `loaded state dict contains a parameter group that doesn't match the size of optimizer's group ${i}: ` +
            `${params.length} parameters instead of ${expected}`,
        );
      }
    });
    const options = groups.map(({ params: _, ...rest }) => numbersOf(mapKeys(rest, camelCase)) as Partial<Options>);
    options.forEach((some, i) => this.check({ ...this.paramGroups[i]!, ...some }));
    const loaded = new Map<Tensor, ParameterState>();
    groups.forEach(({ params }, g) => {
      params.forEach((index, k) => {
        const entry = dict.state[index];
        const param = this.paramGroups[g]!.params[k]!;
        if (entry !== undefined) loaded.set(param, this.adoptState(mapKeys(entry, camelCase), param));
      });
    });
    this.state.clear();
    for (const [param, state] of loaded) this.state.set(param, state);
    // A state is left by steps that were taken; a schedule that goes on need not warn.
    if (loaded.size > 0) this.stepCount = Math.max(1, this.stepCount);
    options.forEach((some, i) => Object.assign(this.paramGroups[i]!, some));
  }

  /** One parameter's state from a file: copies in its dtype. What PyTorch writes as None is not there. */
  private adoptState(entry: Record<string, StateValue | null>, param: Tensor): ParameterState {
    const present = Object.entries(entry).filter((item): item is [string, StateValue] => item[1] !== null);
    return Object.fromEntries(present.map(([key, value]) => [key, adopt(value, this.numbers.includes(key), param)]));
  }

  /**
   * Registers a hook that runs before each step, with what `step` was given, and may give it other arguments.
   * @example
   * const w = tg.tensor([1], { requiresGrad: true });
   * const optimizer = new tg.optim.SGD([w], { lr: 0.5 });
   * const handle = optimizer.registerStepPreHook(() => tg.nn.utils.clipGradValue_([w], 1));
   * w.square().mul(10).sum().backward();
   * optimizer.step();
   * handle.remove();
   * console.log(w.item()); // → 0.5
   * @source torch.optim.Optimizer.register_step_pre_hook
   */
  registerStepPreHook(hook: StepPreHook): RemovableHandle {
    return this.hooks.stepPre.add(hook);
  }

  /** Registers a hook that runs after each step. @source torch.optim.Optimizer.register_step_post_hook */
  registerStepPostHook(hook: StepPostHook): RemovableHandle {
    return this.hooks.stepPost.add(hook);
  }

  /** Registers a hook that runs before `stateDict`. @source torch.optim.Optimizer.register_state_dict_pre_hook */
  registerStateDictPreHook(hook: StateHook, options?: HookOptions): RemovableHandle {
    return this.hooks.stateDictPre.add(hook, options);
  }

  /**
   * Registers a hook that gets the result of `stateDict` and may return another one.
   * @source torch.optim.Optimizer.register_state_dict_post_hook
   */
  registerStateDictPostHook(hook: StateDictHook, options?: HookOptions): RemovableHandle {
    return this.hooks.stateDictPost.add(hook, options);
  }

  /**
   * Registers a hook that gets what `loadStateDict` is given and may return another dict to load.
   * @source torch.optim.Optimizer.register_load_state_dict_pre_hook
   */
  registerLoadStateDictPreHook(hook: StateDictHook, options?: HookOptions): RemovableHandle {
    return this.hooks.loadPre.add(hook, options);
  }

  /** Registers a hook that runs after `loadStateDict`. @source torch.optim.Optimizer.register_load_state_dict_post_hook */
  registerLoadStateDictPostHook(hook: StateHook, options?: HookOptions): RemovableHandle {
    return this.hooks.loadPost.add(hook, options);
  }

  /** Name and options of each group. */
  toString(): string {
    const groups = this.paramGroups.map(({ params: _, ...options }, i) => {
      const lines = Object.entries(options).map(([key, value]) => `    ${key}: ${String(value)}`);
      return [`Parameter Group ${i}`, ...lines].join('\n');
    });
    return `${this.constructor.name} (\n${groups.join('\n')}\n)`;
  }
}

/** Options in which PyTorch's tensors of one element, such as a learning rate, are numbers. */
function numbersOf(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, value instanceof Tensor ? value.item() : value]));
}

/** A loaded value in the dtype of its parameter, or as a number. */
function adopt(value: StateValue, asNumber: boolean, param: Tensor): StateValue {
  if (typeof value === 'number') return value;
  if (!(value instanceof Tensor)) return value.filter((item) => item !== null).map((item) => adopt(item, asNumber, param));
  return asNumber ? value.item() : keep(tensor(value, { dtype: param.dtype }));
}

/** The parameters of a group. @throws ValueError when it is none */
export function groupParams(group: { params: Iterable<Tensor> | Tensor }): Tensor[] {
  const params = (group as Partial<typeof group> | undefined)?.params;
  if (params instanceof Tensor) return [params];
  if (typeof params === 'object' && Symbol.iterator in params) return [...params];
  throw new ValueError('a parameter group must be an object with params, a tensor or an iterable of them');
}

/**
 * The tensor of that name in a parameter's state, filled with a number at first use.
 */
export function stateTensor(state: ParameterState, key: string, param: Tensor, value = 0): Tensor {
  return (state[key] ??= keep(fullLike(param.detach(), value))) as Tensor;
}

/** Counts a step of one parameter and returns the new count, 1 at first. */
export function countStep(state: ParameterState): number {
  return (state['step'] = ((state['step'] as number | undefined) ?? 0) + 1);
}
