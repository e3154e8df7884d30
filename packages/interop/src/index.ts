export { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
export type { Checkpoint, LoaderState, OptimizerState, OptimizerValue } from './checkpoint.ts';
export { FileError, FormatError } from './errors.ts';
export { checkModelState } from './model-state.ts';
export { loadNpy, saveNpy } from './npy.ts';
export { loadNpz, saveNpz } from './npz.ts';
export { decodeSafetensors, encodeSafetensors } from './safetensors.ts';
export type {
  SafetensorsDType,
  SafetensorsEntry,
  SafetensorsFile,
  SafetensorsPlace,
  SafetensorsTensor,
} from './safetensors.ts';
export { blobSource, openTensors } from './tensor-reader.ts';
export type { ByteSource, TensorReader } from './tensor-reader.ts';
export { loadTensors, saveTensors } from './tensors.ts';
export { loadTorch, loadTorchState, type TorchValue } from './torch-file.ts';
export type { NamedTensors, TensorFile } from './tensors.ts';
