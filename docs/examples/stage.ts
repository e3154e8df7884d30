import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Progress, type Terminal } from './progress.ts';

/** Where an example plays: what it may take, where it speaks and where its files go. */
export class Stage {
  /** Whether to do only what shows that it works, in seconds. */
  readonly quick: boolean;
  readonly #folder: string;
  readonly #terminal: Terminal;

  /**
   * @param quick see the field
   * @param folder where files go; made when the first one is saved
   * @param terminal what is written to, default `process.stdout`
   */
  constructor(quick: boolean, folder: string, terminal: Terminal = process.stdout) {
    this.quick = quick;
    this.#folder = folder;
    this.#terminal = terminal;
  }

  /** Writes lines. */
  say(...lines: readonly string[]): void {
    for (const line of lines) this.#terminal.write(`${line}\n`);
  }

  /** A progress line for work in `total` parts. */
  progress(label: string, total: number, unit = 'steps'): Progress {
    return new Progress({ label, total, unit, terminal: this.#terminal });
  }

  /** Keeps a file, and says where. */
  save(name: string, content: string | Uint8Array): void {
    mkdirSync(this.#folder, { recursive: true });
    const path = join(this.#folder, name);
    writeFileSync(path, content);
    this.say(`  kept ${path}`);
  }
}

/** An example: it plays on a stage and gives the numbers that show whether it worked. */
export type Example = (stage: Stage) => Promise<Readonly<Record<string, number>>>;
