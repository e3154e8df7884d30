import { IndexError, ValueError, type Tensor } from '@tapegrad/core';
import { forget } from './members.ts';
import { Module } from './module.ts';
import { formatList } from './tree.ts';

/**
 * What the containers share: children in fields of their own (`list[0]`, `net.conv`), and their order.
 * A function has a `length` already; here it becomes the number of children.
 */
export abstract class Container extends Module {
  /** How many modules it holds. */
  declare readonly length: number;
  #fields: readonly string[] = [];

  constructor() {
    super();
    Object.defineProperty(this, 'length', { get: () => this.#fields.length });
  }

  /** The modules in order. */
  [Symbol.iterator](): Iterator<Module> {
    return this.values()[Symbol.iterator]();
  }

  /** The names of the modules in order; '0', '1', … where they are numbered. */
  keys(): readonly string[] {
    return this.#fields;
  }

  /** The modules in order. */
  values(): Module[] {
    return this.#fields.map((field) => this.held(field));
  }

  /** Names and modules in order. */
  entries(): [name: string, module: Module][] {
    return this.#fields.map((field) => [field, this.held(field)]);
  }

  /**
   * The module at a position; negative positions count from the end.
   * @throws IndexError when there is none
   */
  at(index: number): Module {
    const field = this.#fields.at(index);
    if (field === undefined) {
      throw new IndexError(
        `${this.constructor.name}: index ${index} is out of range; it holds ${this.length} modules`,
      );
    }
    return this.held(field);
  }

  /** @internal */
  protected held(field: string): Module {
    return (this as unknown as Record<string, Module>)[field]!;
  }

  /** @internal */
  protected put(field: string, module: Module): void {
    if (!(module instanceof Module)) {
      throw new ValueError(`${this.constructor.name}: '${field}' must be a Module, got ${describe(module)}`);
    }
    if (this.#fields.includes(field)) (this as unknown as Record<string, Module>)[field] = module;
    else {
      this.registerModule(field, module);
      this.#fields = [...this.#fields, field];
    }
  }

  /** @internal */
  protected drop(field: string): void {
    this.#fields = this.#fields.filter((other) => other !== field);
    forget(this, field);
  }

  // any: a container of this kind is not meant to be called.
  forward(..._: any[]): any {
    throw new ValueError(
      `${this.constructor.name} only holds modules; call these in the forward of the module around it`,
    );
  }
}

function describe(value: unknown): string {
  if (typeof value === 'function')
    return `a function (${value.name || 'without a name'}); wrap it in a Module`;
  return value === null ? 'null' : typeof value;
}

/** Numbered modules: what Sequential and ModuleList share. */
export abstract class NumberedContainer extends Container {
  [index: number]: Module;

  /** Adds a module at the end. */
  append(module: Module): this {
    this.put(String(this.length), module);
    return this;
  }

  /** Adds modules at the end. */
  extend(modules: Iterable<Module>): this {
    for (const module of [...modules]) this.append(module);
    return this;
  }

  /**
   * Puts a module before the one at a position; later ones move up.
   * @throws IndexError when the position is out of range
   */
  insert(index: number, module: Module): this {
    const modules = this.values();
    const position = index < 0 ? index + modules.length : index;
    if (!(Number.isInteger(index) && position >= 0 && position <= modules.length)) {
      throw new IndexError(
        `${this.constructor.name}: cannot insert at ${index}; it holds ${modules.length} modules`,
      );
    }
    modules.splice(position, 0, module);
    return this.#renumber(modules);
  }

  /**
   * Takes out the module at a position, by default the last, and returns it.
   * @throws IndexError when there is none
   */
  pop(index = -1): Module {
    const module = this.at(index);
    const modules = this.values();
    modules.splice(index, 1);
    this.#renumber(modules);
    return module;
  }

  #renumber(modules: readonly Module[]): this {
    for (const field of this.keys()) this.drop(field);
    return this.extend(modules);
  }
}

/** Modules by name, in the order of the names. */
export type NamedModules = Readonly<Record<string, Module>>;

/**
 * Modules that are called one after the other, each with the output of the one before. They are given one by
 * one, as an array, or with names as an object; an index picks one, `slice` several.
 * @example
 * const net = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 1));
 * console.log(net(tg.ones([5, 2])).shape); // → [ 5, 1 ]
 * console.log(Object.keys(net.stateDict())); // → [ '0.weight', '0.bias', '2.weight', '2.bias' ]
 * @source torch.nn.Sequential
 */
export class Sequential extends NumberedContainer {
  constructor(...modules: Module[] | [modules: readonly Module[]] | [modules: NamedModules]) {
    super();
    const [first] = modules;
    if (Array.isArray(first)) this.extend(first as Module[]);
    else if (typeof first !== 'object') this.extend(modules as Module[]);
    else for (const [name, module] of Object.entries(first as NamedModules)) this.put(name, module);
  }

  override forward(x: Tensor): Tensor {
    let value: unknown = x;
    for (const field of this.keys()) value = this.held(field)(value);
    return value as Tensor;
  }

  /** Some of the modules as a Sequential of their own, numbered anew; they are shared, not copied. */
  slice(start?: number, end?: number): Sequential {
    const part = this.entries().slice(start, end);
    const numbered = part.every(([name]) => /^\d+$/.test(name));
    return numbered
      ? new Sequential(part.map(([, module]) => module))
      : new Sequential(Object.fromEntries(part));
  }
}

/**
 * A numbered list of modules, to be called one by one by the module that holds it. A plain array in a field
 * does the same; a ModuleList also prints as one.
 * @source torch.nn.ModuleList
 */
export class ModuleList extends NumberedContainer {
  constructor(modules: Iterable<Module> = []) {
    super();
    this.extend(modules);
  }

  override toString(): string {
    return formatList(this);
  }
}

/**
 * Modules by name. A plain object in a field does the same; a ModuleDict can also change.
 * @source torch.nn.ModuleDict
 */
export class ModuleDict extends Container {
  constructor(modules: NamedModules = {}) {
    super();
    this.update(modules);
  }

  /** The module of that name, if there is one. */
  get(name: string): Module | undefined {
    return this.has(name) ? this.held(name) : undefined;
  }

  /** Whether there is a module of that name. */
  has(name: string): boolean {
    return this.keys().includes(name);
  }

  /**
   * Adds or replaces a module.
   * @throws ValueError when the name is empty, has a dot or belongs to every module
   */
  set(name: string, module: Module): this {
    this.put(name, module);
    return this;
  }

  /** Adds or replaces several modules. */
  update(modules: NamedModules): this {
    for (const [name, module] of Object.entries(modules)) this.put(name, module);
    return this;
  }

  /** Takes a module out and returns it, if it is there. */
  pop(name: string): Module | undefined {
    const module = this.get(name);
    if (module !== undefined) this.drop(name);
    return module;
  }
}
