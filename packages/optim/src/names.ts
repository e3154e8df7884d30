/** A name as PyTorch writes it. What begins with a single capital, such as `H_diag`, stays as it is. */
export function snakeCase(key: string): string {
  return key.replace(/(?<=[a-z0-9])[A-Z]/g, (c) => `_${c.toLowerCase()}`);
}

/** The name of ours that `snakeCase` makes this of. */
export function camelCase(key: string): string {
  return key.replace(/(?<=[a-z0-9])_([a-z])/g, (_, c: string) => c.toUpperCase());
}

/** A record under other names. */
export function mapKeys<V>(record: Record<string, V>, rename: (key: string) => string): Record<string, V> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [rename(key), value]));
}
