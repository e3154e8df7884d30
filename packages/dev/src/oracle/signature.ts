import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import { functional } from '@tapegrad/nn';
import type { Freedom } from './freedom.ts';
import { Unsupported } from './values.ts';

/** A call as PyTorch's Python writes it: op(input, ...args, **kwargs), already in our values. */
export interface PythonCall {
  readonly input: unknown;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/**
 * A call with a keyword that our function does not have and refuses: no form here for what has a result, and right for what
 * PyTorch rejects too.
 */
export class Refused extends Unsupported {}

/** Makes our call of PyTorch's. */
export type Adapter = (call: PythonCall) => unknown;

/**
 * How one of PyTorch's signatures is written in ours, as `'dim, keepdim => x.sum(dim, { keepdim })'`: on the left the
 * parameters after the input in PyTorch's order, `*sizes` taking all that follow; on the right our call, with `x` for the
 * input, `tg` for core's functions and `F` for those of nn.functional, PyTorch's names, and options in camelCase or renamed as `{ ours: theirs }`. What the left names and the right
 * does not is accepted where it changes nothing. A keyword that the left does not name is written as whoever does not know
 * would write it, among the options, and has to be refused. Forms that cannot be written so are functions.
 */
export type Signature = string | Adapter | LooseSignature;

/** A call whose result PyTorch does not determine completely. */
export interface LooseSignature {
  readonly call: string | Adapter;
  readonly free: Freedom;
}

/** What may differ in the result of a call. */
export function freedomOf(signature: Signature): Freedom {
  return typeof signature === 'object' ? signature.free : {};
}

const calls = new Map<string, Adapter>();

/** The function that a signature describes. */
export function adapterOf(signature: Signature): Adapter {
  if (typeof signature === 'object') return adapterOf(signature.call);
  if (typeof signature !== 'string') return signature;
  let adapter = calls.get(signature);
  if (adapter === undefined) calls.set(signature, (adapter = compile(signature)));
  return adapter;
}

const FORM = /^(?:(.*?)\s*=>\s*)?(x|tg|F)\.([\w.]+)(?:\((.*)\))?$/;

type Names = ReadonlyMap<string, unknown>;
type Argument = (names: Names) => unknown;

function compile(signature: string): Adapter {
  const match = FORM.exec(signature.trim());
  if (match === null) throw new Error(`not a signature: ${signature}`);
  const [, left = '', owner, path, right] = match;
  const parameters = left.split(',').map((name) => name.trim()).filter((name) => name !== '');
  const parts = right === undefined ? null : splitArguments(right);
  const build = parts?.map(argument);
  const hasOptions = parts?.at(-1)?.startsWith('{') === true;
  const used = new Set((right ?? '').match(/\w+/g));
  return (call) => {
    const { names, unknown } = bind(parameters, call);
    for (const [name, value] of names) {
      if (name !== 'x' && !used.has(name) && value !== null && value !== false && value !== undefined && value !== 'cpu') {
        throw new Unsupported(`parameter ${name} = ${JSON.stringify(value)}`);
      }
    }
    // What is no tensor has no methods; the free function takes it, or refuses.
    const isMethod = owner === 'x' && call.input instanceof tg.Tensor;
    const target = isMethod ? (call.input as Tensor) : owner === 'F' ? functional : tg;
    const holder = path!.split('.').slice(0, -1).reduce<unknown>((object, name) => (object as Names & Record<string, unknown>)[name], target);
    const member = (holder as Record<string, unknown>)[path!.split('.').at(-1)!];
    if (build === undefined) return member;
    if (typeof member !== 'function') throw new Unsupported(`no ${owner}.${path}`);
    const values = build.map((make) => make(names));
    if (owner === 'x' && !isMethod) values.unshift(call.input);
    if (Object.keys(unknown).length > 0) values.push({ ...(hasOptions ? (values.pop() as object | undefined) : undefined), ...unknown });
    while (values.length > 0 && values.at(-1) === undefined) values.pop();
    const run = (): unknown => member.apply(holder, values) as unknown;
    return Object.keys(unknown).length > 0 ? refusalOf(run, Object.keys(unknown)) : run();
  };
}

/** Makes a call with keywords that cannot have a meaning here. @throws Refused if it is rejected; Unsupported if it is not */
function refusalOf(run: () => unknown, keywords: readonly string[]): never {
  const what = `keyword ${keywords.join(', ')}`;
  try {
    run();
  } catch (error) {
    if (error instanceof tg.TapegradError) throw new Refused(what, { cause: error });
    throw error;
  }
  throw new Unsupported(`${what}, which is not refused`);
}

interface Bound {
  readonly names: Names;
  /** Keywords that are no parameter, in our spelling. */
  readonly unknown: Readonly<Record<string, unknown>>;
}

function bind(parameters: readonly string[], { input, args, kwargs }: PythonCall): Bound {
  const names = new Map<string, unknown>([['x', input]]);
  let next = 0;
  for (const parameter of parameters) {
    if (parameter.startsWith('*')) {
      const rest = args.slice(next);
      next = args.length;
      names.set(parameter.slice(1), rest.length === 1 && Array.isArray(rest[0]) ? rest[0] : rest);
    } else if (next < args.length) names.set(parameter, args[next++]);
  }
  if (next < args.length) throw new Unsupported(`${args.length} positional arguments`);
  const unknown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(kwargs)) {
    const isParameter = parameters.some((parameter) => parameter === name || parameter === `*${name}`);
    if (isParameter) names.set(name, value);
    else unknown[camelCase(name)] = value;
  }
  return { names, unknown };
}

/** Splits at the commas that are not within brackets. */
function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const character of text) {
    if ('({['.includes(character)) depth++;
    if (')}]'.includes(character)) depth--;
    if (character === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else part += character;
  }
  return part.trim() === '' ? parts : [...parts, part.trim()];
}

function argument(text: string): Argument {
  if (text.startsWith('{')) {
    const entries = splitArguments(text.slice(1, -1)).map((entry) => {
      const [ours, theirs] = entry.includes(':') ? entry.split(':').map((s) => s.trim()) : [camelCase(entry), entry];
      return [ours!, theirs!] as const;
    });
    return (names) => {
      const given = entries.filter(([, theirs]) => names.get(theirs) !== undefined);
      return given.length === 0 ? undefined : Object.fromEntries(given.map(([ours, theirs]) => [ours, names.get(theirs)]));
    };
  }
  if (text.startsWith('...')) throw new Error(`write the list as one argument: ${text}`);
  if (/^-?\d|^(true|false|null)$|^'/.test(text)) {
    const value: unknown = JSON.parse(text.replaceAll("'", '"'));
    return () => value;
  }
  return (names) => names.get(text);
}

/** `pad_mode` as `padMode`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase());
}
