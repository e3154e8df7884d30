import { requireOptions, Tensor } from '@tapegrad/core';
import { FormatError, quote } from './errors.ts';
import { PickleGlobal, readPickle } from './pickle.ts';
import { readTensor, type NamedTensors } from './tensors.ts';
import type { SafetensorsDType } from './safetensors.ts';
import { decodeZip } from './zip.ts';

/** What a file of `torch.save` may hold: tensors and plain values; tuples are arrays, dictionaries records. */
export type TorchValue =
  | Tensor
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly TorchValue[]
  | { readonly [key: string]: TorchValue };

/** A hostile file stops here. */
const MAX_BYTES = 2 ** 32;
/** Values are nested no deeper by anybody who means well. */
const MAX_DEPTH = 200;

/** The element types by PyTorch's names of their storages, and their bytes. */
const STORAGES: Readonly<Record<string, readonly [dtype: SafetensorsDType, bytes: number]>> = {
  'torch.FloatStorage': ['F32', 4],
  'torch.DoubleStorage': ['F64', 8],
  'torch.HalfStorage': ['F16', 2],
  'torch.BFloat16Storage': ['BF16', 2],
  'torch.LongStorage': ['I64', 8],
  'torch.IntStorage': ['I32', 4],
  'torch.ShortStorage': ['I16', 2],
  'torch.CharStorage': ['I8', 1],
  'torch.ByteStorage': ['U8', 1],
  'torch.BoolStorage': ['BOOL', 1],
};

/** The functions that a file may ask for: those that rebuild tensors, and dictionaries of Python's library. */
const REBUILDERS: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  'collections.OrderedDict': (args) => {
    if (args.length > 0) throw broken('an ordered dictionary');
    return new Map();
  },
  // The milestones of MultiStepLR.
  'collections.Counter': ([counts]) => {
    if (!(counts instanceof Map)) throw broken('a counter');
    return counts;
  },
  'torch._utils._rebuild_tensor_v2': ([storage, offset, shape, strides]) => {
    if (!(storage instanceof Storage)) throw broken('a tensor');
    return storage.tensor(offset, shape, strides);
  },
  'torch._utils._rebuild_parameter': ([data]) => data,
  'torch.Size': ([sizes]) => sizes,
};

/**
 * Reads a file that `torch.save` of PyTorch 1.6 or later wrote (.pt, .pth, .bin): tensors, numbers, texts, lists and
 * dictionaries of them. It is safe to read files of strangers: nothing in them is executed, and every class or function
 * other than those for tensors is refused by its name.
 *
 * Tensors come as `loadTensors` gives them (float16 and bfloat16 as float32, 64-bit integers as int32 if they fit), each
 * with memory of its own, wherever they were and whether or not they were parameters.
 *
 * @param bytes the whole file
 * @param options maxBytes: most bytes that the file and its tensors may take, default 4 GiB
 * @throws FormatError when the bytes are no such file, or hold something else than tensors and plain values
 * @source torch.load with weights_only=True
 */
export async function loadTorch(bytes: Uint8Array, options: { maxBytes?: number } = {}): Promise<TorchValue> {
  requireOptions('loadTorch', options, ['maxBytes']);
  const limit = options.maxBytes ?? MAX_BYTES;
  if (bytes[0] === 0x80) {
    throw new FormatError('The file is in the format from before PyTorch 1.6; load it there and save it again.');
  }
  const files = new Map((await decodeZip(bytes, limit)).map(({ name, data }) => [name, data]));
  const [path] = [...files.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (path === undefined) throw new FormatError('The archive has no data.pkl, so it is not from torch.save.');
  const folder = path.slice(0, -'data.pkl'.length);
  const order = files.get(`${folder}byteorder`);
  if (order !== undefined && new TextDecoder().decode(order) !== 'little') {
    throw new FormatError('The file was written on a machine whose numbers begin with their most significant byte; convert it there.');
  }
  const budget = { left: limit };
  const storages = new Map<string, Storage>();
  const value = readPickle(files.get(path)!, {
    call: (name, args) => {
      if (Object.hasOwn(REBUILDERS, name)) return REBUILDERS[name]!(args);
      throw new FormatError(
        `The file asks for ${quote(name)}, which is never called here; save tensors and plain values only, such as model.state_dict().`,
      );
    },
    load: (identifier) => {
      const [kind, type, key, , length] = Array.isArray(identifier) ? (identifier as unknown[]) : [];
      if (kind !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string') throw broken('a storage');
      const known = storages.get(key);
      if (known !== undefined && known.type === type.name) return known;
      const storage = new Storage(key, type.name, length, files.get(`${folder}data/${key}`), budget);
      storages.set(key, storage);
      return storage;
    },
  });
  return plain(value, new Map(), 0);
}

/**
 * Reads a state dict that `torch.save(model.state_dict(), path)` wrote, for `model.loadStateDict`.
 * @param bytes the whole file
 * @param options as loadTorch
 * @throws FormatError as loadTorch, or when the file holds something else than tensors by name
 * @source torch.load
 */
export async function loadTorchState(bytes: Uint8Array, options: { maxBytes?: number } = {}): Promise<NamedTensors> {
  const value = await loadTorch(bytes, options);
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Tensor);
  const [odd] = isRecord ? Object.entries(value).filter(([, field]) => !(field instanceof Tensor)) : [['', value]];
  if (odd === undefined) return value as NamedTensors;
  const what = isRecord ? `holds something else under ${quote(odd[0])}` : 'holds a single value';
  throw new FormatError(`The file is no state dict: it ${what}; take the part that you need from loadTorch.`);
}

/** The elements of one or more tensors, one after the other. */
class Storage {
  readonly type: string;
  private readonly name: string;
  private readonly flat: Tensor;
  private readonly itemBytes: number;
  private readonly budget: { left: number };

  constructor(key: string, type: string, length: unknown, data: Uint8Array | undefined, budget: { left: number }) {
    if (!Object.hasOwn(STORAGES, type)) {
      throw new FormatError(`The file holds a tensor in a ${quote(type)}, whose elements have no counterpart here; convert it to float32.`);
    }
    const [dtype, itemBytes] = STORAGES[type]!;
    if (data === undefined || !isSize(length) || data.length !== length * itemBytes) throw broken(`the storage ${quote(key)}`);
    this.type = type;
    this.name = `storage ${key}`;
    this.itemBytes = itemBytes;
    this.budget = budget;
    this.flat = readTensor(this.name, { dtype, shape: [length], data });
  }

  /** A tensor of these elements, as a copy. */
  tensor(offset: unknown, shape: unknown, strides: unknown): Tensor {
    const fits = isSize(offset) && isSizes(shape) && isSizes(strides) && shape.length === strides.length;
    if (!fits) throw broken('a tensor');
    const count = shape.reduce((product, size) => product * size, 1);
    const last = shape.reduce((place, size, i) => place + (size - 1) * strides[i]!, offset);
    if (count > 0 && last >= this.flat.numel()) {
      throw new FormatError(`The file has a tensor [${shape.join(', ')}] that reaches outside of ${this.name}, which has ${this.flat.numel()} elements.`);
    }
    this.budget.left -= count * this.itemBytes;
    if (!(this.budget.left >= 0)) throw new FormatError('The tensors of the file take more bytes than maxBytes allows.');
    if (count === 0) return this.flat.narrow(0, 0, 0).clone().view(shape);
    return this.flat.asStrided(shape, strides, offset).clone().contiguous();
  }
}

/** A value of the pickle with records in place of maps. */
function plain(value: unknown, done: Map<unknown, TorchValue>, depth: number): TorchValue {
  if (value instanceof PickleGlobal) {
    throw new FormatError(`The file holds ${quote(value.name)} itself, which is no plain value; save its name instead.`);
  }
  if (value instanceof Storage) throw new FormatError('The file holds a storage without a tensor; save tensors.');
  if (!Array.isArray(value) && !(value instanceof Map)) return value as TorchValue;
  if (depth > MAX_DEPTH) throw new FormatError(`The file nests values more than ${MAX_DEPTH} deep, or in a circle.`);
  let result = done.get(value);
  if (result === undefined) {
    result = Array.isArray(value)
      ? value.map((item) => plain(item, done, depth + 1))
      : Object.fromEntries([...value].map(([key, field]) => [String(key), plain(field, done, depth + 1)]));
    done.set(value, result);
  }
  return result;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isSize);
}

function broken(what: string): FormatError {
  return new FormatError(`The file is damaged where it describes ${what}.`);
}
