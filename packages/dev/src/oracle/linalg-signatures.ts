import type { Signature } from './signature.ts';

/** Linear algebra: PyTorch's operators in our words. */
export const linalgSignatures: Readonly<Record<string, Signature>> = {
};
