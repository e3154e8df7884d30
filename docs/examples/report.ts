import type { RunFolder } from './run-folder.ts';
import type { Training } from './training.ts';

/** Mean loss, and the part of the images that are recognised. */
export interface Score {
  readonly loss: number;
  readonly accuracy: number;
}

/** What the test images say at the end of an epoch. */
export function epochReport(label: string, { loss, accuracy }: Score): string {
  return `${label}  on the test images: loss ${loss.toFixed(4)}, accuracy ${percent(accuracy)}`;
}

/** Where an interrupted run stands, and how to go on with it. */
export function interruptionReport(
  label: string,
  { step, batches }: Training,
  { checkpoint }: RunFolder,
): string {
  return [
    `interrupted in ${label} after ${step} of ${batches} batches; everything is kept in ${checkpoint}`,
    `go on with: npm start -- --resume ${checkpoint}`,
  ].join('\n');
}

/** What a finished run has come to, in one line. */
export function resultOf({ epoch, seconds, history }: Training): string {
  const epochs = epoch === 1 ? '1 epoch' : `${epoch} epochs`;
  return `test accuracy ${percent(history.testAccuracy.at(-1)!)} after ${epochs}, ${seconds.toFixed(1)} s of training`;
}

/** The files that a finished run leaves. */
export function filesReport({ model, checkpoint, curve }: RunFolder): string {
  return [`  model           ${model}`, `  checkpoint      ${checkpoint}`, `  learning curve  ${curve}`].join(
    '\n',
  );
}

function percent(part: number): string {
  return `${(100 * part).toFixed(2)} %`;
}
