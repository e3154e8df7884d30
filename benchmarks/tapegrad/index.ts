import { readFileSync } from 'node:fs';
import { scope } from '@tapegrad/core';
import type { Adapter } from '../prepared.ts';
import { gpt } from './gpt.ts';
import { networks } from './networks.ts';
import { operations } from './operations.ts';

const manifest = new URL('../../packages/core/package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };

/** tapegrad as its users write it: no disposal, no scopes. */
export const adapter: Adapter = {
  version,
  operations: { ...operations, ...networks, 'gpt-adamw': gpt },
  scoped: scope,
};
