/**
 * All of tapegrad under one name: `import * as tg from 'tapegrad'` gives tensors, their operations and gradients,
 * and in `tg.nn`, `tg.optim`, `tg.data` and `tg.interop` what is built on them.
 */
export * from '@tapegrad/core';
export * as data from '@tapegrad/data';
export * as interop from '@tapegrad/interop';
export * as nn from '@tapegrad/nn';
export * as optim from '@tapegrad/optim';
