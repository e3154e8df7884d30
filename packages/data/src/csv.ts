import { requireOptions, tensor, type DTypeName, type Tensor } from '@tapegrad/core';
import { DataError } from './errors.ts';

/** How a CSV text is written. */
export interface CsvOptions {
  /** Between fields; default a comma. */
  delimiter?: string;
  /** Whether the first record names the columns; default true. */
  header?: boolean;
}

/** A table of texts. */
export interface CsvTable {
  /** Names of the columns; without a header their numbers. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Reads records of fields; fields in double quotes may hold delimiters, line ends and doubled quotes. Empty lines at the
 * end are nothing.
 * @param text the whole file
 * @throws DataError naming the line where a quote is out of place or a record has more or fewer fields than the first
 * @example
 * const { columns, rows } = tg.data.parseCsv('name,size\n"Oak, old",31\nElm,12\n');
 * console.log(columns, rows); // → [ 'name', 'size' ] [ [ 'Oak, old', '31' ], [ 'Elm', '12' ] ]
 * @source RFC 4180
 */
export function parseCsv(text: string, options: CsvOptions = {}): CsvTable {
  requireOptions('parseCsv', options, ['delimiter', 'header']);
  const { delimiter = ',', header = true } = options;
  if (delimiter.length !== 1 || '"\r\n'.includes(delimiter)) {
    throw new DataError(`parseCsv: the delimiter must be one character other than a quote or a line end, got ${JSON.stringify(delimiter)}.`);
  }
  const records: string[][] = [];
  const starts: number[] = [];
  let line = 1;
  for (let at = text.startsWith('\uFEFF') ? 1 : 0; at < text.length; ) {
    const record: string[] = [];
    starts.push(line);
    for (let more = true; more; ) {
      const [field, end] = text[at] === '"' ? quoted(text, at, line) : plain(text, at, delimiter, line);
      line += field.split('\n').length - 1;
      record.push(field);
      at = end;
      more = text[at] === delimiter;
      if (more) at++;
      else if (at < text.length && text[at] !== '\n' && text[at] !== '\r') {
        throw new DataError(`parseCsv: line ${line} goes on after a closing quote; double a quote that is part of a field.`);
      }
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    line++;
    records.push(record);
  }
  while (records.length > 0 && records.at(-1)!.length === 1 && records.at(-1)![0] === '') records.pop();
  const width = records[0]?.length ?? 0;
  const odd = records.findIndex((record) => record.length !== width);
  if (odd >= 0) {
    throw new DataError(`parseCsv: line ${starts[odd]} has ${records[odd]!.length} fields, expected ${width} as in the first record.`);
  }
  const columns = header ? (records.shift() ?? []) : Array.from({ length: width }, (_, i) => String(i));
  return { columns, rows: records };
}

/** The field up to the next delimiter or line end, and where that is. */
function plain(text: string, start: number, delimiter: string, line: number): [field: string, end: number] {
  let end = start;
  while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r') end++;
  const field = text.slice(start, end);
  if (field.includes('"')) {
    throw new DataError(`parseCsv: line ${line} has a quote inside of a field that does not begin with one.`);
  }
  return [field, end];
}

/** The field inside of quotes, and the place behind them. */
function quoted(text: string, start: number, line: number): [field: string, end: number] {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  if (end < 0) throw new DataError(`parseCsv: the quote that opens in line ${line} is never closed.`);
  return [text.slice(start + 1, end).replaceAll('""', '"'), end + 1];
}

/**
 * Some columns of a table as numbers, one row for each record.
 * @param columns which ones, in this order; default all
 * @param options dtype: default float32
 * @throws DataError for a column that is not there, or a field that is no number, naming both and the record
 * @example
 * const table = tg.data.parseCsv('a,b,kind\n1,2,x\n3,4.5,y');
 * console.log(tg.data.columnsOf(table, ['b', 'a']).toArray()); // → [ [ 2, 1 ], [ 4.5, 3 ] ]
 */
export function columnsOf(table: CsvTable, columns: readonly string[] = table.columns, options: { dtype?: DTypeName } = {}): Tensor {
  requireOptions('columnsOf', options, ['dtype']);
  const places = columns.map((name) => placeOf(table, name));
  const values = new Float64Array(table.rows.length * places.length);
  table.rows.forEach((row, r) => {
    places.forEach((place, c) => {
      const field = row[place]!.trim();
      const value = field === '' ? NaN : Number(field);
      if (Number.isNaN(value) && field.toLowerCase() !== 'nan') {
        throw new DataError(
          `columnsOf: record ${r + 1} has ${JSON.stringify(row[place])} in column ${JSON.stringify(columns[c])}, which is no number.`,
        );
      }
      values[r * places.length + c] = value;
    });
  });
  return tensor(values, { dtype: options.dtype ?? 'float32' }).view([table.rows.length, places.length]);
}

/**
 * A column of names as class numbers, in the order in which the names first appear, or in a given one.
 * @param names the classes in order; by default those of the column
 * @returns labels as int32, and the name of each class
 * @throws DataError for a column that is not there, or a field that is none of the given names
 * @example
 * const table = tg.data.parseCsv('kind\nelm\noak\nelm');
 * const { labels, names } = tg.data.classesOf(table, 'kind');
 * console.log(labels.toArray(), names); // → [ 0, 1, 0 ] [ 'elm', 'oak' ]
 */
export function classesOf(table: CsvTable, column: string, names?: readonly string[]): { labels: Tensor; names: string[] } {
  const place = placeOf(table, column);
  const known = [...(names ?? new Set(table.rows.map((row) => row[place]!)))];
  const numbers = new Map(known.map((name, i) => [name, i]));
  const labels = table.rows.map((row, r) => {
    const label = numbers.get(row[place]!);
    if (label === undefined) {
      throw new DataError(`classesOf: record ${r + 1} has ${JSON.stringify(row[place])} in column ${JSON.stringify(column)}, expected one of ${known.join(', ')}.`);
    }
    return label;
  });
  return { labels: tensor(Int32Array.from(labels)), names: known };
}

function placeOf({ columns }: CsvTable, name: string): number {
  const place = columns.indexOf(name);
  if (place < 0) throw new DataError(`There is no column ${JSON.stringify(name)}; the columns are ${columns.join(', ')}.`);
  return place;
}
