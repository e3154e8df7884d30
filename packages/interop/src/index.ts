export { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
export type { Checkpoint, OptimizerState, OptimizerValue } from './checkpoint.ts';
export { FileError, FormatError } from './errors.ts';
export { checkModelState } from './model-state.ts';
export { loadNpy, saveNpy } from './npy.ts';
export { loadNpz, saveNpz } from './npz.ts';
export { decodeSafetensors, encodeSafetensors } from './safetensors.ts';
export type {
  SafetensorsDType,
  SafetensorsEntry,
  SafetensorsFile,
  SafetensorsTensor,
} from './safetensors.ts';
export { loadTensors, saveTensors } from './tensors.ts';
export type { NamedTensors, TensorFile } from './tensors.ts';
