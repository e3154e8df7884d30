/** Values as they stand in the printed form of a layer. */
export type Printable = string | number | boolean | null | readonly number[];

/** Options as `name=value, …`; those that are undefined are left out. */
export function options(values: Readonly<Record<string, Printable | undefined>>): string {
  return Object.entries(values)
    .filter((entry): entry is [string, Printable] => entry[1] !== undefined)
    .map(([name, value]) => `${name}=${printed(value)}`)
    .join(', ');
}

function printed(value: Printable): string {
  if (typeof value === 'string') return `'${value}'`;
  return typeof value === 'object' && value !== null ? `[${value.join(', ')}]` : String(value);
}
