// npm run build: packages/*/dist from nothing, so that no file of an older build stays behind.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { packageNames } from './checks/sources.ts';
import { buildPackages } from './published/build.ts';
import { root } from './root.ts';

for (const name of packageNames(root)) rmSync(path.join(root, 'packages', name, 'dist'), { recursive: true, force: true });
const errors = await buildPackages(root);
if (errors.length > 0) console.error(errors.join('\n'));
process.exitCode = errors.length > 0 ? 1 : 0;
