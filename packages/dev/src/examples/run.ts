// node packages/dev/run.mjs packages/dev/src/examples/run.ts FILE…: runs the examples of pages and docstrings and
// compares what they print with what the text says that they print. One finding per line, `FILE:LINE: …`.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { root } from '../root.ts';
import { docstringExamples, markdownExamples } from './extract.ts';
import type { Example } from './extract.ts';
import { instrument, recorder } from './instrument.ts';
import type { Expectation } from './instrument.ts';

// Examples find packages as the documentation does: from docs.
const folder = path.join(root, 'docs/node_modules/.cache/examples', String(process.pid));

/** What an example printed against what it says; the instrumented code calls these. */
class Recorder {
  readonly findings: string[] = [];
  readonly #file: string;
  readonly #expectations: Expectation[];
  #line = 0;
  #block: string[] = [];
  #unchecked: string[] = [];

  constructor(file: string, expectations: Expectation[]) {
    this.#file = file;
    this.#expectations = expectations;
  }

  log(...values: unknown[]): void {
    this.#block.push(format(...values));
    this.#unchecked.push(this.#block.at(-1)!);
  }

  begin(line: number): void {
    this.#line = line;
    this.#block = [];
    this.#unchecked = [];
  }

  print(index: number): void {
    this.#compare(index, this.#unchecked.join('\n') || '(nothing)');
    this.#unchecked = [];
  }

  async throws(index: number, body: () => Promise<void>): Promise<void> {
    try {
      await body();
      this.#compare(index, '(nothing thrown)');
    } catch (error) {
      this.#compare(index, error instanceof Error ? error.message : String(error));
    }
  }

  end(index: number | undefined): void {
    if (index !== undefined) this.#compare(index, this.#block.join('\n'));
    else if (this.#unchecked.length > 0) {
      this.add(this.#line, `prints what the text does not show:\n${this.#unchecked.join('\n')}`);
    }
  }

  add(line: number, message: string): void {
    this.findings.push(`${this.#file}:${line}: ${message}`);
  }

  #compare(index: number, actual: string): void {
    const { line, lines } = this.#expectations[index]!;
    const expected = trimmed(lines.join('\n'));
    // A figure that differs from machine to machine is written as an ellipsis.
    const pattern = expected.split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*');
    if (new RegExp(`^${pattern}$`).test(trimmed(actual))) return;
    this.add(line, `the text says\n${expected}\nbut it is\n${trimmed(actual)}`);
  }
}

function trimmed(text: string): string {
  return text.replace(/[ \t]+$/gm, '').replace(/\n+$/, '');
}

function examplesOf(file: string): Example[] {
  const text = readFileSync(file, 'utf8');
  return file.endsWith('.md') ? markdownExamples(file, text) : docstringExamples(file, text);
}

async function runExample(example: Example, name: string): Promise<string[]> {
  const file = path.relative(root, example.file);
  const { text, expectations } = instrument(example);
  const module = path.join(folder, name);
  writeFileSync(module, text);
  const record = new Recorder(file, expectations);
  Object.assign(globalThis, { [recorder]: record });
  const { log } = console;
  console.log = (...values) => record.log(...values);
  try {
    await import(pathToFileURL(module).href);
  } catch (error) {
    const { stack = String(error) } = error as Error;
    const at = stack.includes(name) ? stack.slice(stack.indexOf(name) + name.length) : '';
    const line = Number(/^:(\d+)/.exec(at)?.[1] ?? example.blocks[0]!.line);
    record.add(line, `throws ${(error as Error).name}: ${(error as Error).message}`);
  } finally {
    console.log = log;
  }
  return record.findings;
}

const files = process.argv.slice(2).map((file) => path.resolve(root, file));
mkdirSync(folder, { recursive: true });
process.chdir(path.join(root, 'docs'));
const findings: string[] = [];
let count = 0;
try {
  for (const file of files) {
    for (const example of examplesOf(file)) {
      count += 1;
      findings.push(...(await runExample(example, `example-${count}.ts`)));
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const finding of findings) console.log(finding);
console.error(`${count} examples, ${findings.length} findings`);
process.exit(findings.length > 0 ? 1 : 0);
