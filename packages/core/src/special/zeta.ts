import { elementwise, type Binary, type Operand } from '../define/elementwise.ts';
import { refuseDerivative } from './undefined-derivative.ts';

/**
 * Hurwitz' zeta function Σ (k + q)^−x over k ≥ 0, for x > 1.
 * @derivative for q only
 * @throws GradError when x requires grad
 * @source torch.special.zeta
 */
export const zeta: Binary = elementwise(
  'zeta',
  (x, q) => x.zeta(q),
  { result: 'float', domain: [1.5, 4] },
  (x: Operand, q: Operand) => {
    refuseDerivative('zeta', 'x', x);
    return [x, q];
  },
);
