/**
 * A file's contents are not what they should be. The message is one sentence: what is wrong, and what was
 * expected.
 */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

/**
 * A file cannot be read or written. The message is one sentence with the path and the reason.
 */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly path: string;

  constructor(message: string, path: string, options?: ErrorOptions) {
    super(message, options);
    this.path = path;
  }
}

/** A value from the file for a message: quoted, and short however long it is. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…"`;
}
