import { GradError } from '../errors.ts';
import { modes } from '../modes.ts';
import type { Gradient, Node } from '../tape.ts';

/** Runs a rule so that nodes recorded meanwhile remember it, and says where it was recorded if it fails. */
export function runWatched(node: Node, gradients: readonly Gradient[]): readonly Gradient[] {
  const before = modes.running;
  modes.running = node;
  try {
    return node.rule.vjp(node, gradients);
  } catch (error) {
    console.warn(`tapegrad: ${node.name} failed in a backward pass. ${whereRecorded(node)}`);
    throw error;
  } finally {
    modes.running = before;
  }
}

/**
 * Refuses gradients that are not numbers.
 * @throws GradError naming the node, the input, and where the node was recorded
 */
export function checkForNaN(node: Node, results: readonly Gradient[]): void {
  results.forEach((result, i) => {
    if (result === null || result === undefined || !result.toTypedArray().some(Number.isNaN)) return;
    throw new GradError(`Function '${node.name}' returned nan values in its ${i}th output. ${whereRecorded(node)}`, {
      op: node.rule.name,
    });
  });
}

function whereRecorded({ stack }: Node): string {
  if (stack !== null) return `It was recorded here:\n${stack}`;
  return 'No forward pass information available: switch anomaly detection on before the operations are recorded, too.';
}
