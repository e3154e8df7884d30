import { isRecording } from '../dispatch.ts';
import { GradError } from '../errors.ts';
import { Tensor } from '../tensor.ts';

/**
 * Refuses to record an operation for an argument after which it cannot be differentiated.
 * @throws GradError naming the argument
 */
export function refuseDerivative(op: string, argument: string, operand: unknown): void {
  if (!(operand instanceof Tensor) || !isRecording([operand])) return;
  throw new GradError(`${op}: the derivative with respect to ${argument} is not defined; pass ${argument}.detach()`, { op, argument });
}
