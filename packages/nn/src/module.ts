import { DTypeError, keep, noGrad, requireOptions, Tensor, toDType, ValueError, isFloating } from '@tapegrad/core';
import type { DTypeName, RemovableHandle } from '@tapegrad/core';
import type { BackwardHook, BackwardPreHook } from './backward-hooks.ts';
import { Callable } from './callable.ts';
import { nameModule } from './error-path.ts';
import { calls, watchCall, watchEvaluation } from './habits.ts';
import { callWithHooks, globalHooks, Hooks } from './hooks.ts';
import type { ForwardHook, ForwardHookOptions, ForwardPreHook, HookOptions } from './hooks.ts';
import { childrenOf, membersOf, registrationsOf, type Members, type Slot } from './members.ts';
import { Parameter } from './parameter.ts';
import { collectState, loadState } from './state-dict.ts';
import type { LoadOptions, LoadReport, StateDict, StateDictOptions } from './state-dict.ts';
import { formatTree } from './tree.ts';

/** How far a listing of parameters or buffers goes. */
export interface ListOptions {
  /** Also those of submodules; default true. */
  recurse?: boolean;
  /** Put in front of every name, with a dot; default ''. */
  prefix?: string;
  /** List a tensor that is held in several places once; default true. */
  removeDuplicate?: boolean;
}

/** Options of a registration by name. */
export interface RegisterOptions {
  /** Name in state dicts, if it is not that of the field. */
  key?: string;
}

/** Options of `registerBuffer`. */
export interface BufferOptions extends RegisterOptions {
  /** Whether the buffer is part of state dicts; default true. */
  persistent?: boolean;
}

/** A module is called as its `forward` is. */
export interface Module {
  (...args: Parameters<this['forward']>): ReturnType<this['forward']>;
}

/**
 * Base of all layers and models. A subclass holds parameters and other modules in its fields, also in arrays
 * and plain objects, and says in `forward` what it computes; calling the instance runs its hooks and
 * `forward`. Private `#fields` cannot be seen from here, so that nothing in them is found.
 * @example
 * class Net extends nn.Module {
 *   hidden = new nn.Linear(2, 8);
 *   layers = [new nn.Linear(8, 8), new nn.Linear(8, 1)];
 *   forward(x: Tensor): Tensor {
 *     return this.layers.reduce((h, layer) => layer(h.relu()), this.hidden(x));
 *   }
 * }
 * const net = new Net();
 * console.log(net(tg.ones([5, 2])).shape); // → [ 5, 1 ]
 * console.log(Object.keys(net.stateDict())[2]); // → layers.0.weight
 * @source torch.nn.Module
 */
export abstract class Module extends Callable {
  /** Whether layers such as Dropout and BatchNorm behave as in training. */
  training = true;
  #hooks: Hooks | null = null;

  /**
   * @param given nothing: a class without a constructor of its own hands on what it got
   * @throws ValueError when there is anything
   */
  constructor(...given: readonly never[]) {
    super();
    if (given.length === 0) return;
    const said = given.map((one: unknown) => (typeof one === 'object' && one !== null ? `{ ${Object.keys(one).join(', ')} }` : String(one)));
    throw new ValueError(`${this.constructor.name} takes no arguments, got ${said.join(', ')}`);
  }

  /** Computes the output. Call the module instead, which also runs hooks and names the module in errors. */
  // any: every module has arguments and results of its own.
  abstract forward(...args: any[]): any;

  /** @internal */
  invoke(args: unknown[]): unknown {
    if (calls.toWatch > 0) watchCall(this);
    try {
      if (this.#hooks === null && globalHooks.none) return this.forward(...args);
      return callWithHooks(this, this.#hooks, args);
    } catch (error) {
      nameModule(error, this);
      throw error;
    }
  }

  /** All parameters, those of submodules included, each once. @source torch.nn.Module.parameters */
  parameters(options: ListOptions = {}): Parameter[] {
    return this.#named('parameters', ({ parameters }) => parameters, options).map(([, parameter]) => parameter);
  }

  /** All parameters with their paths, own ones first. @source torch.nn.Module.named_parameters */
  namedParameters(options: ListOptions = {}): [name: string, parameter: Parameter][] {
    return this.#named('namedParameters', ({ parameters }) => parameters, options);
  }

  /** All buffers: tensors that belong to the state but do not learn. @source torch.nn.Module.buffers */
  buffers(options: ListOptions = {}): Tensor[] {
    return this.#named('buffers', ({ buffers }) => buffers, options).map(([, buffer]) => buffer);
  }

  /** All buffers with their paths. @source torch.nn.Module.named_buffers */
  namedBuffers(options: ListOptions = {}): [name: string, buffer: Tensor][] {
    return this.#named('namedBuffers', ({ buffers }) => buffers, options);
  }

  #named(owner: string, pick: (members: Members) => Slot[], options: ListOptions): [string, Tensor][] {
    requireOptions(owner, options, ['recurse', 'prefix', 'removeDuplicate']);
    const { recurse = true, prefix = '', removeDuplicate = true } = options;
    const seen = new Set<Tensor>();
    const found: [string, Tensor][] = [];
    for (const [path, module] of recurse
      ? this.namedModules({ prefix, removeDuplicate })
      : [[prefix, this] as const]) {
      for (const { key, tensor } of pick(membersOf(module))) {
        if (removeDuplicate && seen.has(tensor)) continue;
        seen.add(tensor);
        found.push([path === '' ? key : `${path}.${key}`, tensor]);
      }
    }
    return found;
  }

  /** The modules held by this one. @source torch.nn.Module.children */
  children(): Module[] {
    return this.namedChildren().map(([, child]) => child);
  }

  /** The modules held by this one with their names. @source torch.nn.Module.named_children */
  namedChildren(): [name: string, child: Module][] {
    const seen = new Set<Module>();
    return childrenOf(this).filter(([, child]) => !seen.has(child) && seen.add(child));
  }

  /** This module and all below it, each once, parents before children. @source torch.nn.Module.modules */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** This module and all below it with their paths; its own is ''. @source torch.nn.Module.named_modules */
  namedModules(options: Omit<ListOptions, 'recurse'> = {}): [path: string, module: Module][] {
    requireOptions('namedModules', options, ['prefix', 'removeDuplicate']);
    const { prefix = '', removeDuplicate = true } = options;
    const seen = new Set<Module>();
    const found: [string, Module][] = [];
    const visit = (module: Module, path: string): void => {
      if (removeDuplicate && seen.has(module)) return;
      seen.add(module);
      found.push([path, module]);
      for (const [key, child] of childrenOf(module))
        visit(child, path === '' ? key : `${path}.${key}`);
    };
    visit(this, prefix);
    return found;
  }

  /**
   * The module at a path such as `encoder.layers.0`; '' is this one.
   * @throws ValueError when there is none
   */
  getSubmodule(path: string): Module {
    return find(this, 'submodule', path, this.namedModules({ removeDuplicate: false }));
  }

  /**
   * The parameter at a path.
   * @throws ValueError when there is none
   */
  getParameter(path: string): Parameter {
    return find(this, 'parameter', path, this.namedParameters({ removeDuplicate: false }));
  }

  /**
   * The buffer at a path.
   * @throws ValueError when there is none
   */
  getBuffer(path: string): Tensor {
    return find(this, 'buffer', path, this.namedBuffers({ removeDuplicate: false }));
  }

  /**
   * Makes a parameter a field of this module; the same as assigning it, with the name checked.
   * @throws ValueError when the name is empty, has a dot or is taken, or the value is not a parameter
   * @source torch.nn.Module.register_parameter
   */
  registerParameter(name: string, parameter: Parameter | null, options: RegisterOptions = {}): void {
    const key = this.#keyFor('registerParameter', name, options);
    if (parameter !== null && !(parameter instanceof Parameter)) {
      const computed = (parameter as unknown) instanceof Tensor && !(parameter as Tensor).isLeaf;
      throw new ValueError(
        `registerParameter: cannot assign ${computed ? 'a non-leaf Tensor' : typeof parameter} to parameter ` +
          `'${name}'; give new nn.Parameter(tensor) or null`,
      );
    }
    registrationsOf(this).set(name, { kind: 'parameter', key, persistent: true });
    this.#set(name, parameter);
  }

  /**
   * Makes a tensor that is not learned part of the module's state, and returns it, so that it can be a field:
   * `mask = this.registerBuffer('mask', tensor)`.
   * @throws ValueError when the name is empty, has a dot or is taken, or the value is not a tensor
   * @source torch.nn.Module.register_buffer
   */
  registerBuffer<T extends Tensor | null>(name: string, buffer: T, options: BufferOptions = {}): T {
    const { persistent = true } = options;
    const key = this.#keyFor('registerBuffer', name, options);
    if (buffer !== null && !(buffer instanceof Tensor)) {
      throw new ValueError(`registerBuffer: buffer '${name}' must be a Tensor or null, got ${typeof buffer}`);
    }
    registrationsOf(this).set(name, { kind: 'buffer', key, persistent });
    this.#set(name, buffer === null ? null : keep(buffer));
    return buffer;
  }

  /**
   * Makes a module a child of this one; the same as assigning it, with the name checked.
   * @throws ValueError when the name is empty, has a dot or is taken, or the value is not a module
   * @source torch.nn.Module.register_module
   */
  registerModule(name: string, module: Module | null, options: RegisterOptions = {}): void {
    const key = this.#keyFor('registerModule', name, options);
    if (module !== null && !(module instanceof Module)) {
      throw new ValueError(`registerModule: '${name}' must be a Module or null, got ${typeof module}`);
    }
    registrationsOf(this).set(name, { kind: 'module', key, persistent: true });
    this.#set(name, module);
  }

  /** As `registerModule`, under PyTorch's other name. */
  addModule(name: string, module: Module | null): void {
    this.registerModule(name, module);
  }

  #set(name: string, value: unknown): void {
    Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
  }

  /** The key of a new member; its name must be free. */
  #keyFor(op: string, name: string, options: BufferOptions): string {
    requireOptions(op, options, op === 'registerBuffer' ? ['persistent', 'key'] : ['key']);
    if (typeof name !== 'string')
      throw new ValueError(`${op}: the name must be a string, got ${typeof name}`);
    if (name === '') throw new ValueError(`${op}: the name must not be empty`);
    if (name.includes('.'))
      throw new ValueError(`${op}: the name '${name}' must not contain a dot, which separates levels`);
    const field = Object.getOwnPropertyDescriptor(this, name);
    // A field that holds nothing yet, or the function's own length and name, is free.
    const empty = field?.value === null || field?.value === undefined;
    if (field === undefined ? name in this : field.enumerable === true && !empty) {
      throw new ValueError(`${op}: ${this.constructor.name} has something named '${name}' already`);
    }
    return options.key ?? name;
  }

  /**
   * Switches this module and all below it to training.
   * @throws ValueError when the mode is not a boolean
   * @source torch.nn.Module.train
   */
  train(mode = true): this {
    if (typeof mode !== 'boolean')
      throw new ValueError(`train: the mode must be true or false, got ${String(mode)}`);
    for (const module of this.modules()) module.training = mode;
    if (!mode) watchEvaluation(this);
    return this;
  }

  /**
   * Switches this module and all below it to evaluation: no dropout, running statistics.
   * @source torch.nn.Module.eval
   */
  eval(): this {
    return this.train(false);
  }

  /**
   * Starts or stops recording operations on all parameters, as for freezing them.
   * @source torch.nn.Module.requires_grad_
   */
  requiresGrad_(value = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(value);
    return this;
  }

  /** Forgets the gradients of all parameters, or sets them to zero. @source torch.nn.Module.zero_grad */
  zeroGrad(options: { setToNone?: boolean } = {}): void {
    requireOptions('zeroGrad', options, ['setToNone']);
    for (const parameter of this.parameters()) {
      const { grad: gradient } = parameter;
      if (gradient === null) continue;
      if (options.setToNone !== false) parameter.grad = null;
      else
        parameter.grad = noGrad(() =>
          (gradient.isLeaf ? gradient.requiresGrad_(false) : gradient.detach()).zero_(),
        );
    }
  }

  /** As `zeroGrad`, spelled as in Python. */
  zero_grad(options: { setToNone?: boolean } = {}): void {
    this.zeroGrad(options);
  }

  /**
   * Calls a function on every module below and then on this one: for initialisation.
   * @source torch.nn.Module.apply
   */
  apply(visit: (module: Module) => void): this {
    for (const child of this.children()) child.apply(visit);
    visit(this);
    return this;
  }

  /**
   * Converts all floating-point parameters and buffers, and their gradients, to a dtype or to that of a
   * tensor. The parameters stay the same objects, so that optimizers keep working.
   * @throws DTypeError when the dtype is not floating-point
   * @source torch.nn.Module.to
   */
  to(target: DTypeName | Tensor): this {
    const dtype = target instanceof Tensor ? target.dtype : toDType(target);
    if (!isFloating(dtype)) {
      throw new DTypeError(`Module.to: the dtype must be float32 or float64, got ${dtype}`, {
        dtypes: [dtype],
      });
    }
    noGrad(() => {
      for (const tensor of [...this.parameters(), ...this.buffers()]) {
        if (!isFloating(tensor.dtype) || tensor.dtype === dtype) continue;
        const gradient = tensor.grad;
        tensor.setData(tensor.to(dtype));
        if (gradient !== null) tensor.grad = gradient.to(dtype);
      }
    });
    return this;
  }

  /** Converts to float32. @source torch.nn.Module.float */
  float(): this {
    return this.to('float32');
  }

  /** Converts to float64. @source torch.nn.Module.double */
  double(): this {
    return this.to('float64');
  }

  /**
   * Parameters and persistent buffers by path, sharing memory with the module.
   * @source torch.nn.Module.state_dict
   */
  stateDict(options: StateDictOptions = {}): StateDict {
    return collectState(this, options);
  }

  /**
   * Copies a state dict into the module. Everything is checked before anything is changed.
   * @throws StateDictError that names all missing, unexpected and misshapen tensors
   * @source torch.nn.Module.load_state_dict
   */
  loadStateDict(state: StateDict, options: LoadOptions = {}): LoadReport {
    return loadState(this, state, options);
  }

  /** State that is no parameter or buffer, for subclasses that have some; null: none. */
  getExtraState(): Tensor | null {
    return null;
  }

  /** Takes back what `getExtraState` gave. */
  setExtraState(_state: Tensor): void {
    throw new ValueError(
      `${this.constructor.name} gives extra state but has no setExtraState to take it back`,
    );
  }

  /**
   * The key that older state dicts have for what is now under `path + key`; null if there never was another.
   */
  formerKey(_path: string, _key: string): string | null {
    return null;
  }

  /**
   * Registers a hook that runs before `forward` and may replace the arguments.
   * @source torch.nn.Module.register_forward_pre_hook
   */
  registerForwardPreHook(hook: ForwardPreHook, options: HookOptions = {}): RemovableHandle {
    return (this.#hooks ??= new Hooks()).addBefore(hook, options);
  }

  /**
   * Registers a hook that runs after `forward` and may replace the output.
   * @source torch.nn.Module.register_forward_hook
   */
  registerForwardHook(hook: ForwardHook, options: ForwardHookOptions = {}): RemovableHandle {
    return (this.#hooks ??= new Hooks()).addAfter(hook, options);
  }

  /**
   * Registers a hook that runs on the way back, when the gradients of the arguments are known, and may
   * replace them. If no argument requires a gradient, it runs when those of the outputs are known.
   * @source torch.nn.Module.register_full_backward_hook
   */
  registerFullBackwardHook(hook: BackwardHook, options: HookOptions = {}): RemovableHandle {
    return (this.#hooks ??= new Hooks()).addBackward(hook, options);
  }

  /**
   * Registers a hook that runs on the way back, when the gradients of the outputs are known, and may replace
   * them.
   * @source torch.nn.Module.register_full_backward_pre_hook
   */
  registerFullBackwardPreHook(hook: BackwardPreHook, options: HookOptions = {}): RemovableHandle {
    return (this.#hooks ??= new Hooks()).addBackwardPre(hook, options);
  }

  /** Whether `forward` does something else in evaluation than in training; submodules are not meant. */
  get dependsOnMode(): boolean {
    return false;
  }

  /** What is printed between the parentheses: the options of a layer. */
  extraRepr(): string {
    return '';
  }

  /** What error messages call this module: `Linear 400 → 120`. */
  label(): string {
    return this.constructor.name;
  }

  /** The module and all below it as a tree. */
  override toString(): string {
    return formatTree(this);
  }

  static {
    // What console.log shows in Node.
    const value = function (this: Module): string {
      return this.toString();
    };
    Object.defineProperty(this.prototype, Symbol.for('nodejs.util.inspect.custom'), { value });
  }
}

function find<T>(module: Module, kind: string, path: string, named: readonly (readonly [string, T])[]): T {
  const hit = named.find(([name]) => name === path);
  if (hit === undefined) {
    const known = named.map(([name]) => name).filter((name) => name !== '');
    throw new ValueError(
      `${module.constructor.name} has no ${kind} '${path}'; it has ` +
        `${known.length === 0 ? 'none' : known.join(', ')}`,
    );
  }
  return hit[1];
}
