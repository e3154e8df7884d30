import { interop } from 'tapegrad';
import { defaults, UsageError, type Options } from './options.ts';

/** What decides the outcome of a run. */
export type Settings = Readonly<typeof defaults>;

/** What a checkpoint's position and random numbers depend on, with the flag that would change it. */
const FIXED = { batchSize: '--batch-size', seed: '--seed' } as const;

/**
 * The settings of a run: what the command line says, else what the checkpoint says, else the defaults.
 *
 * @param options the command line
 * @param checkpoint what is resumed, if anything
 * @throws UsageError when a setting is given that cannot change in the middle of a run
 * @throws FormatError when the checkpoint has no settings
 */
export function settle(options: Options, checkpoint: interop.Checkpoint | null): Settings {
  const before = checkpoint === null ? defaults : settingsOf(checkpoint);
  if (checkpoint !== null) {
    for (const [key, flag] of Object.entries(FIXED) as [keyof typeof FIXED, string][]) {
      const given = options[key];
      if (given !== undefined && given !== before[key]) {
        throw new UsageError(
          `${flag} cannot change when a run is resumed: it is ${before[key]}, not ${given}.`,
        );
      }
    }
  }
  const { epochs, lr, batchSize, seed } = options;
  return {
    epochs: epochs ?? before.epochs,
    lr: lr ?? before.lr,
    batchSize: batchSize ?? before.batchSize,
    seed: seed ?? before.seed,
  };
}

function settingsOf(checkpoint: interop.Checkpoint): Settings {
  const settings = (checkpoint.extra['settings'] ?? {}) as Record<keyof Settings, unknown>;
  for (const key of Object.keys(defaults) as (keyof Settings)[]) {
    if (typeof settings[key] !== 'number')
      throw new interop.FormatError('It was made by another program than this one.');
  }
  return settings as Settings;
}
