import type { Node } from './tape.ts';
import { warnOnce } from './warnings.ts';

/** Nodes at which a backward pass has begun. */
const walked = new WeakSet<Node>();

/** Notes where a backward pass begins. */
export function noteWalked(node: Node): void {
  walked.add(node);
}

/** As many losses that were walked are not read together unless each step keeps its graph. */
const MANY = 16;
/** How far to look for them. */
const MOST_NODES = 64;

/** Points out a number that is read of a sum of losses with their graphs: the graph grows with every step. */
export function checkSum(node: Node): void {
  if (walked.has(node)) return;
  const queue: Node[] = [node];
  const losses = new Set<Node>();
  for (let i = 0; i < queue.length && i < MOST_NODES; i++) {
    for (const next of queue[i]!.inputs) {
      if (next === null) continue;
      if (walked.has(next)) losses.add(next);
      else if (queue.length < MOST_NODES) queue.push(next);
    }
  }
  if (losses.size < MANY) return;
  warnOnce(
    'sum of walked losses',
    `item: at least ${MANY} losses behind backward() are in this number with the graphs of their steps, so that memory grows. ` +
      'Add up numbers instead: total += loss.item()',
  );
}
