import { Tensor, tensor } from '@tapegrad/core';
import { FormatError, quote } from './errors.ts';
import { packJson, unpackJson } from './json-values.ts';
import { parseObject } from './strict-json.ts';
import { loadTensors, saveTensors, type NamedTensors } from './tensors.ts';

/** What an optimizer remembers of a parameter: tensors, numbers, and lists of them. */
export type OptimizerValue = Tensor | number | readonly OptimizerValue[];

/** An optimizer's state and options, in the layout of its `stateDict`. */
export interface OptimizerState {
  readonly state: Record<string, Record<string, OptimizerValue>>;
  readonly param_groups: (Record<string, unknown> & { params: number[] })[];
}

/** Where a loader stands, in the layout of its `stateDict`. */
export interface LoaderState {
  readonly given: readonly number[];
  readonly turn: number;
  readonly seed: number | null;
  /** States of random streams by name. */
  readonly random: Readonly<Record<string, Uint8Array>>;
}

/** All that a training needs to go on as if it had never stopped. */
export interface Checkpoint {
  /** `model.stateDict()`. */
  readonly model: NamedTensors;
  /** `optimizer.stateDict()`. */
  readonly optimizer: OptimizerState;
  /** `scheduler.stateDict()`, if there is a schedule. */
  readonly scheduler?: Record<string, unknown> | undefined;
  /** `loader.stateDict()`, to go on in the middle of an epoch. */
  readonly loader?: LoaderState | undefined;
  /** Epochs that are finished. */
  readonly epoch: number;
  /** Batches of the present epoch that are finished. */
  readonly step: number;
  /** States of random streams by name, such as `getRngState()`. */
  readonly random: Readonly<Record<string, Uint8Array>>;
  /** Anything else: tensors, values that JSON can hold (also -0, NaN and infinities), and lists of both. */
  readonly extra: Readonly<Record<string, unknown>>;
}

const FORMAT = 'tapegrad-checkpoint';
const VERSION = '1';

/** The part of a checkpoint that is not tensors, as it stands in the metadata. */
interface Plain {
  readonly epoch: number;
  readonly step: number;
  readonly optimizer: {
    state: Record<string, Record<string, unknown>>;
    param_groups: OptimizerState['param_groups'];
  };
  readonly scheduler?: Record<string, unknown>;
  readonly loader?: Omit<LoaderState, 'random'>;
  readonly extra: Record<string, unknown>;
}

/** The key of an object that stands for a tensor of the file inside a list. */
const TENSOR = '$tensor';

/**
 * The bytes of a checkpoint: one safetensors file, in which the tensors are named by where they come from, and all else is JSON in the
 * metadata. The names are `model.<key>`, `optimizer.state.<index>.<key>`, `random.<name>`, `loader.<name>` and `extra.<name>`, in lists
 * with `.<position>` behind it.
 *
 * @param checkpoint what to keep; nothing of it is changed
 * @throws FormatError when a value is neither a tensor nor something that JSON can hold
 */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { model, optimizer, scheduler, loader, epoch, step, random, extra } = checkpoint;
  const tensors: Record<string, Tensor> = {};
  for (const [key, x] of Object.entries(model)) tensors[`model.${key}`] = x;
  for (const [name, bytes] of Object.entries(random)) tensors[`random.${name}`] = tensor(bytes);
  for (const [name, bytes] of Object.entries(loader?.random ?? {})) tensors[`loader.${name}`] = tensor(bytes);
  const state: Plain['optimizer']['state'] = {};
  for (const [index, entry] of Object.entries(optimizer.state)) {
    state[index] = takeTensors(entry, `optimizer.state.${index}.`, tensors);
  }
  const plain = {
    epoch,
    step,
    optimizer: { state, param_groups: optimizer.param_groups },
    scheduler,
    loader: loader && { ...loader, random: undefined },
    extra: takeTensors(extra, 'extra.', tensors),
  };
  return saveTensors(tensors, { format: FORMAT, version: VERSION, checkpoint: packJson(plain) });
}

/** Puts the tensors of a record into `tensors` under prefixed names and returns what is left. */
function takeTensors(
  record: Readonly<Record<string, unknown>>,
  prefix: string,
  tensors: Record<string, Tensor>,
): Record<string, unknown> {
  const rest = Object.entries(record).filter(([key, value]) => {
    if (!(value instanceof Tensor)) return true;
    tensors[prefix + key] = value;
    return false;
  });
  const listed = (value: unknown, name: string): unknown => {
    if (Array.isArray(value)) return value.map((item, i) => listed(item, `${name}.${i}`));
    if (!(value instanceof Tensor)) return value;
    tensors[name] = value;
    return { [TENSOR]: name };
  };
  return Object.fromEntries(rest.map(([key, value]) => [key, listed(value, prefix + key)]));
}

/** A value from the metadata with the tensors in its lists, which are taken out of `tensors`. */
function putTensors(value: unknown, tensors: Record<string, Tensor>): unknown {
  if (Array.isArray(value)) return value.map((item) => putTensors(item, tensors));
  if (!isRecord(value)) return value;
  const name = value[TENSOR];
  if (typeof name !== 'string') {
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, putTensors(field, tensors)]));
  }
  const found = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  if (found === undefined) throw new FormatError(`The checkpoint lacks the tensor ${quote(name)} that its metadata name.`);
  delete tensors[name];
  return found;
}

/**
 * Reads what `encodeCheckpoint` wrote, every number with the same bits. That it fits a model is for
 * `checkModelState` to say.
 *
 * @param bytes the whole file
 * @throws FormatError when the bytes are truncated, no safetensors file, or one without a checkpoint
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = loadTensors(bytes);
  if (metadata['format'] !== FORMAT) {
    const names = Object.keys(tensors).slice(0, 3).map(quote).join(', ');
    throw new FormatError(
      `The file holds tensors (${names || 'none'}) but no checkpoint; a model file alone cannot be resumed from.`,
    );
  }
  if (metadata['version'] !== VERSION) {
    throw new FormatError(
      `The checkpoint has the version ${quote(metadata['version'])}; this program reads version ${VERSION}.`,
    );
  }
  const plain = readPlain(metadata['checkpoint'] ?? '');
  const model = named(tensors, 'model.');
  const state = putTensors(plain.optimizer.state, tensors) as OptimizerState['state'];
  const extra = putTensors(plain.extra, tensors) as Record<string, unknown>;
  for (const [path, x] of Object.entries(named(tensors, 'optimizer.state.'))) {
    const dot = path.indexOf('.');
    const index = path.slice(0, dot);
    state[index] = { ...state[index], [path.slice(dot + 1)]: x };
  }
  return {
    model,
    optimizer: { state, param_groups: plain.optimizer.param_groups },
    scheduler: plain.scheduler,
    ...(plain.loader && { loader: { ...plain.loader, random: namedBytes(tensors, 'loader.') } }),
    epoch: plain.epoch,
    step: plain.step,
    random: namedBytes(tensors, 'random.'),
    extra: { ...extra, ...named(tensors, 'extra.') },
  };
}

/** The tensors whose names begin with the prefix, without it. */
function named(tensors: NamedTensors, prefix: string): Record<string, Tensor> {
  const entries = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, x]) => [name.slice(prefix.length), x]));
}

/** As `named`, of tensors that are bytes. */
function namedBytes(tensors: NamedTensors, prefix: string): Record<string, Uint8Array> {
  const entries = Object.entries(named(tensors, prefix));
  return Object.fromEntries(entries.map(([name, x]) => [name, x.toTypedArray() as Uint8Array]));
}

function readPlain(text: string): Plain {
  const plain = unpackJson(parseObject(text, "The checkpoint's metadata")) as Record<string, unknown>;
  const { epoch, step, optimizer, scheduler, loader, extra } = plain;
  const { state, param_groups: groups } = (isRecord(optimizer) ? optimizer : {}) as Record<string, unknown>;
  const complete =
    isCount(epoch) &&
    isCount(step) &&
    isRecord(state) &&
    Object.values(state).every(isRecord) &&
    Array.isArray(groups) &&
    groups.every((group) => isRecord(group) && Array.isArray(group['params'])) &&
    isRecord(extra) &&
    (scheduler === undefined || isRecord(scheduler)) &&
    (loader === undefined || isLoaderPlace(loader));
  if (!complete)
    throw new FormatError("The checkpoint's metadata lack a part: epoch, step, optimizer, extra or where the loader stands.");
  return plain as unknown as Plain;
}

function isLoaderPlace(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { given, turn, seed } = value;
  return Array.isArray(given) && given.every(isCount) && isCount(turn) && (seed === null || isCount(seed));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
