// Fits a growth curve to measurements by Levenberg and Marquardt, from a start that is far off, and compares the result
// with the certified one. Dry weight of onion bulbs and tops over time: problem Rat43 of NIST's reference data sets
// (https://www.itl.nist.gov/div898/strd/nls/data/ratkowsky3.shtml).
import { linspace, optim, tensor, type Tensor } from 'tapegrad';
import { learningCurveSvg } from './learning-curve.ts';
import type { Example } from './stage.ts';

const WEIGHTS = [
  16.08, 33.83, 65.8, 97.2, 191.55, 326.2, 386.87, 520.53, 590.03, 651.92, 724.93, 699.56, 689.96, 637.56, 717.41,
];
const START = [100, 10, 1, 1];
const NAMES = ['limit', 'delay', 'rate', 'shape'];
const CERTIFIED = [6.9964151270e2, 5.2771253025, 7.5962938329e-1, 1.2792483859];

/** limit / (1 + exp(delay − rate · t)) ^ (1 / shape) */
function growth(time: Tensor, parameters: Tensor): Tensor {
  const [limit, delay, rate, shape] = parameters.unbind() as [Tensor, Tensor, Tensor, Tensor];
  return limit.div(delay.sub(time.mul(rate)).exp().add(1).pow(shape.reciprocal()));
}

export const curveFitting: Example = async (stage) => {
  const time = tensor(WEIGHTS.map((_, i) => i + 1), { dtype: 'float64' });
  const weight = tensor(WEIGHTS, { dtype: 'float64' });

  // The derivatives by the parameters come from the tape; nothing but the curve itself has to be said.
  const fit = optim.curveFit(growth, time, weight, START);

  const found = fit.x.toArray() as number[];
  const errors = fit.covariance!.diagonal().sqrt().toArray() as number[];
  const misses = found.map((value, i) => Math.abs(value / CERTIFIED[i]! - 1));
  stage.say(
    'parameter  start        fitted          ± error       certified       relative difference',
    ...NAMES.map((name, i) =>
      [
        name.padEnd(9),
        String(START[i]).padEnd(5),
        found[i]!.toPrecision(10).padStart(16),
        errors[i]!.toPrecision(5).padStart(14),
        CERTIFIED[i]!.toPrecision(10).padStart(16),
        misses[i]!.toExponential(1).padStart(12),
      ].join('  '),
    ),
    `sum of squares ${(2 * fit.cost).toFixed(4)} after ${fit.iterations} steps`,
  );

  const fine = linspace(1, WEIGHTS.length, 57, { dtype: 'float64' });
  const curve = growth(fine, fit.x).toArray() as number[];
  stage.save(
    'growth.svg',
    learningCurveSvg({
      title: 'Growth of onions',
      subtitle: 'measurements, and the curve that least squares found',
      panels: [
        {
          title: 'Dry weight',
          xLabel: 'time',
          series: [
            { name: 'measured', x: time.toArray() as number[], y: WEIGHTS },
            { name: 'fitted', x: fine.toArray() as number[], y: curve },
          ],
        },
      ],
    }),
  );
  return { difference: Math.max(...misses), sumOfSquares: 2 * fit.cost };
};
