/**
 * A dataset cannot be found or read. The message is one sentence: what is wrong, and what was expected.
 */
export class DataError extends Error {
  override readonly name = 'DataError';
}
