import { useBlas } from '@tapegrad/blas';

await useBlas();
await import('./start.mjs');
