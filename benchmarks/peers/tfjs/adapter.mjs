import { tf } from './library.mjs';
import { networks } from './networks.mjs';
import { operations } from './operations.mjs';

/** The adapter of a backend. */
export async function adapterFor(backend) {
  await tf.setBackend(backend);
  await tf.ready();
  return { version: tf.version_core, operations: { ...operations, ...networks } };
}
