/** What PyTorch's functions do not do at their edges: gradients of 0 where theirs are NaN. */
export * from './roots.ts';
export * from './selection.ts';
export * from './softmax.ts';
