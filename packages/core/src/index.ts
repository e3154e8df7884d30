import { installMethods } from './methods.ts';
import { registerBackend } from './backend/registry.ts';

installMethods();
registerBackend('reference', async () => (await import('./backend/reference/index.ts')).reference);

export { backward, grad, type BackwardOptions, type GradOptions } from './autodiff/backward.ts';
export { currentBackend, setBackend, useBackend, withBackend } from './backend/registry.ts';
export * from './create.ts';
export * from './dtype.ts';
export * from './errors.ts';
export * from './modes.ts';
export * from './random.ts';
export { Generator } from './generator.ts';
export * from './ops/activation.ts';
export * from './ops/arithmetic.ts';
export * from './ops/comparison.ts';
export * from './ops/conversion.ts';
export * from './ops/exponential.ts';
export * from './ops/matrix.ts';
export * from './ops/movement.ts';
export * from './ops/reduction.ts';
export * from './ops/selection.ts';
export * from './ops/strided.ts';
export * from './ops/trigonometric.ts';
export { memory, setMemoryBudget, type MemoryReport } from './storage.ts';
export { Node, type RemovableHandle } from './tape.ts';
export { Tensor } from './tensor.ts';
