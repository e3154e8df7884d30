import { solveTransposed, solveTriangle, triangularize } from './householder.ts';

/** The residuals around a point as a linear function of the step, r + J·p, and what follows from it. */
export class LinearModel {
  readonly residuals: Float64Array;
  /** Rows of one number per parameter. */
  readonly jacobian: Float64Array;
  /** How many parameters there are. */
  readonly size: number;

  constructor(residuals: Float64Array, jacobian: Float64Array, size: number) {
    this.residuals = residuals;
    this.jacobian = jacobian;
    this.size = size;
  }

  /** The norm of each column of derivatives. */
  columnNorms(): Float64Array {
    const norms = new Float64Array(this.size);
    this.jacobian.forEach((value, i) => (norms[i % this.size] = Math.hypot(norms[i % this.size]!, value)));
    return norms;
  }

  /** Jᵀr: how half the sum of squares changes with each parameter. */
  gradient(): Float64Array {
    const slopes = new Float64Array(this.size);
    this.jacobian.forEach((value, i) => (slopes[i % this.size]! += value * this.residuals[Math.floor(i / this.size)]!));
    return slopes;
  }

  /** How much smaller the sum of squares is after a step, if the model is right. */
  decrease(step: Float64Array): number {
    return this.times(step).reduce((sum, change, i) => sum - change * (2 * this.residuals[i]! + change), 0);
  }

  /** The steps that change free parameters only; the others stay where they are. */
  steps(free: readonly number[], scales: Float64Array): DampedSteps {
    return new DampedSteps(this, free, scales);
  }

  /** How the residuals change along a step. */
  times(step: Float64Array): Float64Array {
    return this.residuals.map((_, i) => {
      let change = 0;
      for (let j = 0; j < this.size; j++) change += this.jacobian[i * this.size + j]! * step[j]!;
      return change;
    });
  }

  /**
   * s² (JᵀJ)⁻¹, or null where that does not exist.
   * @param variance s², by default the sum of squares per degree of freedom
   */
  covariance(variance?: number): Float64Array | null {
    const n = this.size;
    const freedom = this.residuals.length - n;
    if (freedom < 0 || (freedom === 0 && variance === undefined)) return null;
    const squared = variance ?? this.residuals.reduce((sum, r) => sum + r * r, 0) / freedom;
    const triangle = Float64Array.from(this.jacobian);
    triangularize(triangle, n, n);
    // What reflections leave of a column that others span is rounding.
    const norms = this.columnNorms();
    if (norms.some((norm, j) => !(Math.abs(triangle[j * n + j]!) > n * Number.EPSILON * norm))) return null;
    const inverse = Array.from({ length: n }, (_, j) => {
      const unit = new Float64Array(n);
      unit[j] = 1;
      return solveTriangle(triangle, n, unit);
    });
    return Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return squared * inverse.reduce((sum, column) => sum + column[i]! * column[j]!, 0);
    });
  }
}

/** Steps p with the least |r + J·p|² + damping · |scales · p|², for any damping. */
export class DampedSteps {
  private readonly model: LinearModel;
  private readonly free: readonly number[];
  private readonly scales: Float64Array;
  /** [J −r] as a triangle; the rows below it do not depend on the step. */
  private readonly triangle: Float64Array;
  /** The triangle of the last step, with its damping. */
  private damped: Float64Array = new Float64Array(0);

  constructor(model: LinearModel, free: readonly number[], scales: Float64Array) {
    const [width, rows] = [free.length + 1, model.residuals.length];
    const full = new Float64Array(rows * width);
    for (let i = 0; i < rows; i++) {
      free.forEach((j, k) => (full[i * width + k] = model.jacobian[i * model.size + j]!));
      full[i * width + free.length] = -model.residuals[i]!;
    }
    triangularize(full, width, free.length);
    this.model = model;
    this.free = free;
    this.scales = scales;
    this.triangle = full.subarray(0, Math.min(rows, free.length) * width);
  }

  step(damping: number): Float64Array {
    const { free, triangle } = this;
    const [n, width] = [free.length, free.length + 1];
    const damped = new Float64Array(triangle.length + n * width);
    damped.set(triangle);
    free.forEach((j, k) => (damped[triangle.length + k * width + k] = Math.sqrt(damping) * this.scales[j]!));
    triangularize(damped, width, n);
    this.damped = damped;
    return this.scatter(solveTriangle(damped, width, Float64Array.from(free, (_, k) => damped[k * width + n]!)));
  }

  /**
   * What the last step would be if these were the residuals: with their second derivative along the step, the
   * acceleration of the path of best steps.
   */
  stepFor(residuals: Float64Array): Float64Array {
    const { free, model, damped } = this;
    const slopes = new LinearModel(residuals, model.jacobian, model.size).gradient();
    const half = solveTransposed(damped, free.length + 1, Float64Array.from(free, (j) => -slopes[j]!));
    return this.scatter(solveTriangle(damped, free.length + 1, half));
  }

  private scatter(values: Float64Array): Float64Array {
    const step = new Float64Array(this.model.size);
    values.forEach((value, k) => (step[this.free[k]!] = value));
    return step;
  }
}
