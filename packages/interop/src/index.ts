export { FileError, FormatError } from './errors.ts';
export { decodeSafetensors, encodeSafetensors } from './safetensors.ts';
export type {
  SafetensorsDType,
  SafetensorsEntry,
  SafetensorsFile,
  SafetensorsTensor,
} from './safetensors.ts';
