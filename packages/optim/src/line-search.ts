import type { Tensor } from '@tapegrad/core';

/** A place along a search line: how far, and what the loss is and does there. */
export interface LinePoint {
  /** Step length; 0 where the search starts. */
  readonly t: number;
  readonly loss: number;
  readonly gradient: Tensor;
  /** Derivative of the loss by t. */
  readonly slope: number;
}

/** Share of the first slope's promise that the loss has to keep (Armijo). */
const DECREASE = 1e-4;
/** Share of the first slope that may be left (curvature). */
const CURVATURE = 0.9;
const MOST_EVALUATIONS = 25;

/**
 * Finds a point with the strong Wolfe conditions: bracket it by growing steps, then close in on it.
 * @param at what is found at a step length
 * @param start the point with t = 0
 * @param t the first step length to try
 * @param tolerance width of the bracket below which the search ends
 * @source torch.optim.LBFGS, strong_wolfe; Nocedal and Wright (2006), algorithms 3.5 and 3.6
 */
export function strongWolfe(at: (t: number) => LinePoint, start: LinePoint, t: number, tolerance: number): LinePoint {
  const tooHigh = (point: LinePoint): boolean => point.loss > start.loss + DECREASE * point.t * start.slope;
  const flat = (point: LinePoint): boolean => Math.abs(point.slope) <= -CURVATURE * start.slope;

  let previous = start;
  let point = at(t);
  let evaluations = 0;
  let bracket: [LinePoint, LinePoint] | null = null;
  for (; evaluations < MOST_EVALUATIONS; evaluations++) {
    if (tooHigh(point) || (evaluations > 1 && point.loss >= previous.loss) || (!flat(point) && point.slope >= 0)) {
      bracket = [previous, point];
      break;
    }
    if (flat(point)) return point;
    const next = cubicMinimum(previous, point, point.t + 0.01 * (point.t - previous.t), point.t * 10);
    previous = point;
    point = at(next);
  }
  if (bracket === null) return start.loss <= point.loss ? start : point;

  const lower = (): 0 | 1 => (bracket[0].loss <= bracket[1].loss ? 0 : 1);
  let low = lower();
  let hesitated = false;
  for (; evaluations < MOST_EVALUATIONS; evaluations++) {
    const [a, b] = bracket;
    const [left, right] = a.t <= b.t ? [a.t, b.t] : [b.t, a.t];
    if (right - left < tolerance) break;
    let next = cubicMinimum(a, b, left, right);
    // A minimum near an end is believed once; then the bracket has to shrink by a tenth.
    const margin = 0.1 * (right - left);
    const nearEnd = Math.min(right - next, next - left) < margin;
    const move: boolean = nearEnd && (hesitated || next >= right || next <= left);
    if (move) next = Math.abs(next - right) < Math.abs(next - left) ? right - margin : left + margin;
    hesitated = nearEnd && !move;

    point = at(next);
    const high = low === 0 ? 1 : 0;
    if (tooHigh(point) || point.loss >= bracket[low].loss) {
      bracket[high] = point;
      low = lower();
      continue;
    }
    if (flat(point)) return point;
    if (point.slope * (bracket[high].t - bracket[low].t) >= 0) bracket[high] = bracket[low];
    bracket[low] = point;
  }
  return bracket[low];
}

/** Where the cubic through two points and their slopes is least, kept between bounds; their middle if it is nowhere. */
function cubicMinimum(p: LinePoint, q: LinePoint, least: number, most: number): number {
  const mean = p.slope + q.slope - (3 * (p.loss - q.loss)) / (p.t - q.t);
  const square = mean ** 2 - p.slope * q.slope;
  if (!(square >= 0)) return (least + most) / 2;
  const [a, b] = p.t <= q.t ? [p, q] : [q, p];
  const root = Math.sqrt(square);
  const t = b.t - (b.t - a.t) * ((b.slope + root - mean) / (b.slope - a.slope + 2 * root));
  return Math.min(Math.max(t, least), most);
}
