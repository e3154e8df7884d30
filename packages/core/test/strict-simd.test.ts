import { expect, it } from '@jest/globals';
import { hasRelaxedMadd } from '../src/backend/wasm/multiply-add.ts';

// Kernels are what an engine without `relaxed_madd` gets, as in Safari: the tests below run once more with them.
process.env['TAPEGRAD_SIMD'] = 'strict';

it('does without the fused instruction', () => {
  expect(hasRelaxedMadd()).toBe(false);
});

await import('./wasm-matmul.test.ts');
await import('./wasm-windows.test.ts');
await import('./wasm-elementwise-accuracy.test.ts');
