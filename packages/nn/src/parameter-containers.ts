import { IndexError, Tensor, ValueError } from '@tapegrad/core';
import { forget } from './members.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';

/** What the two share: parameters in fields of their own, and their order. */
abstract class ParameterContainer extends Module {
  /** How many parameters it holds. */
  declare readonly length: number;
  #fields: readonly string[] = [];

  constructor() {
    super();
    Object.defineProperty(this, 'length', { get: () => this.#fields.length });
  }

  /** The names of the parameters in order; '0', '1', … where they are numbered. */
  keys(): readonly string[] {
    return this.#fields;
  }

  /** The parameters in order. */
  values(): Parameter[] {
    return this.#fields.map((field) => this.held(field));
  }

  /** The parameters in order. */
  [Symbol.iterator](): Iterator<Parameter> {
    return this.values()[Symbol.iterator]();
  }

  /** @internal */
  protected held(field: string): Parameter {
    return (this as unknown as Record<string, Parameter>)[field]!;
  }

  /** Holds a parameter, or makes one of a tensor. @internal */
  protected put(field: string, given: Tensor): void {
    if (!(given instanceof Tensor)) {
      throw new ValueError(`${this.constructor.name}: '${field}' must be a Parameter or another Tensor, got ${typeof given}`);
    }
    const parameter = given instanceof Parameter ? given : new Parameter(given);
    if (this.#fields.includes(field)) (this as unknown as Record<string, Parameter>)[field] = parameter;
    else {
      this.registerParameter(field, parameter);
      this.#fields = [...this.#fields, field];
    }
  }

  /** @internal */
  protected drop(field: string): void {
    this.#fields = this.#fields.filter((other) => other !== field);
    forget(this, field);
  }

  forward(): never {
    throw new ValueError(
      `${this.constructor.name} only holds parameters; use these in the forward of the module around it`,
    );
  }

  override extraRepr(): string {
    return this.#fields.map((field) => `(${field}): [${this.held(field).shape.join(', ')}]`).join(', ');
  }
}

/**
 * A numbered list of parameters. A plain array in a field does the same.
 * @source torch.nn.ParameterList
 */
export class ParameterList extends ParameterContainer {
  [index: number]: Parameter;

  constructor(parameters: Iterable<Tensor> = []) {
    super();
    this.extend(parameters);
  }

  /** Adds a parameter at the end, which is made of a plain tensor. @throws ValueError unless it is a tensor */
  append(parameter: Tensor): this {
    this.put(String(this.length), parameter);
    return this;
  }

  /** Adds parameters at the end. */
  extend(parameters: Iterable<Tensor>): this {
    for (const parameter of [...parameters]) this.append(parameter);
    return this;
  }

  /**
   * The parameter at a position; negative positions count from the end.
   * @throws IndexError when there is none
   */
  at(index: number): Parameter {
    const field = this.keys().at(index);
    if (field !== undefined) return this.held(field);
    throw new IndexError(`ParameterList: index ${index} is out of range; it holds ${this.length} parameters`);
  }
}

/**
 * Parameters by name. A plain object in a field does the same; a ParameterDict can also change.
 * @source torch.nn.ParameterDict
 */
export class ParameterDict extends ParameterContainer {
  constructor(parameters: Readonly<Record<string, Tensor>> = {}) {
    super();
    for (const [name, parameter] of Object.entries(parameters)) this.set(name, parameter);
  }

  /** The parameter of that name, if there is one. */
  get(name: string): Parameter | undefined {
    return this.has(name) ? this.held(name) : undefined;
  }

  /** Whether there is a parameter of that name. */
  has(name: string): boolean {
    return this.keys().includes(name);
  }

  /**
   * Adds or replaces a parameter, which is made of a plain tensor.
   * @throws ValueError unless it is a tensor, or when the name has a dot or is taken
   */
  set(name: string, parameter: Tensor): this {
    this.put(name, parameter);
    return this;
  }

  /** Takes a parameter out and returns it, if it is there. */
  pop(name: string): Parameter | undefined {
    const parameter = this.get(name);
    if (parameter !== undefined) this.drop(name);
    return parameter;
  }
}
