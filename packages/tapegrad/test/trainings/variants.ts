import type { DTypeName } from 'tapegrad';
export const trainings: Readonly<Record<string, (dtype: DTypeName) => number[]>> = {};
