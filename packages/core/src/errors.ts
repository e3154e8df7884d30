/** Facts that an error carries beside its sentence, for programs that want to react to it. */
export interface ErrorDetails {
  /** Name of the operation that refused. */
  readonly op?: string;
  /** Name of the argument at fault. */
  readonly argument?: string;
  readonly shapes?: readonly (readonly number[])[];
  readonly dtypes?: readonly string[];
}

/** Base of all errors that tapegrad throws on purpose. */
export class TapegradError extends Error {
  override readonly name: string = 'TapegradError';
  readonly details: ErrorDetails;
  constructor(message: string, details: ErrorDetails = {}) {
    super(message);
    this.details = details;
  }
}

/** Shapes do not fit together, or do not fit the operation. */
export class ShapeError extends TapegradError {
  override readonly name: string = 'ShapeError';
}

/** A dtype is not one that the operation can work with. */
export class DTypeError extends TapegradError {
  override readonly name: string = 'DTypeError';
}

/** The tape cannot do what was asked: no graph, graph already freed, in-place change of a saved value, … */
export class GradError extends TapegradError {
  override readonly name: string = 'GradError';
}

/** An index, dimension or class label is out of range. */
export class IndexError extends TapegradError {
  override readonly name: string = 'IndexError';
}

/** An argument has a value that makes no sense for the operation. */
export class ValueError extends TapegradError {
  override readonly name: string = 'ValueError';
}

/** Memory for a tensor could not be had. */
export class MemoryError extends TapegradError {
  override readonly name: string = 'MemoryError';
}

/** A backend is missing or cannot run an operation. */
export class DeviceError extends TapegradError {
  override readonly name: string = 'DeviceError';
}

/** A matrix does not have what a decomposition asks for: it is singular, not positive-definite, not finite, … */
export class LinAlgError extends TapegradError {
  override readonly name: string = 'LinAlgError';
}
