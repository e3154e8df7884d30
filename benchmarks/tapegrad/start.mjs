import * as tg from '@tapegrad/core';

const w = tg.tensor([0.5, -1, 2]).requiresGrad_();
tg.tensor([1, 2, 3]).mul(w).tanh().sum().backward();
console.log(w.grad.toArray());
