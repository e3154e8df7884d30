import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Case } from './case.ts';
import type { Fingerprint } from './fingerprint.ts';
import type { Library } from './libraries.ts';
import { pinMainThread } from './machine.ts';

/** Time of one step in nanoseconds: by the clock, and of the processor in all threads of the process. */
export interface Round {
  readonly wall: number;
  readonly cpu: number;
}

/** Resident size after so many steps. */
export interface MemoryReport {
  readonly steps: readonly number[];
  readonly megabytes: readonly number[];
}

/** What a process says of its library. */
export interface Greeting {
  readonly version: string;
  readonly operations: readonly string[];
  /** Whether steps can run in scopes that users need not write. */
  readonly hasScopes: boolean;
}

/** The process of one library, for the runner. */
export class WorkerProcess {
  readonly library: Library;
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;
  private said = '';

  constructor(library: Library, env: Readonly<Record<string, string>> = {}) {
    this.library = library;
    const [program, ...args] = library.command;
    this.child = spawn(program!, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...library.env, ...env },
    });
    this.child.stderr!.on(
      'data',
      (text: Buffer) => (this.said = `${this.said}${text.toString()}`.slice(-4000)),
    );
    this.answers = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /**
   * Version and operations.
   * @param core where its main thread is to stay from now on; null for anywhere. Threads that it has started by
   *   now stay free
   */
  async hello(core: number | null): Promise<Greeting> {
    const answer = await this.ask<Greeting>({ order: 'hello' });
    if (core !== null) pinMainThread(this.child.pid!, core);
    return answer;
  }

  /** Makes a case ready and runs its first steps. */
  async prepare(work: Case): Promise<Record<string, Fingerprint>> {
    const { results } = await this.ask<{ results: Record<string, Fingerprint> }>({ order: 'prepare', work });
    return results;
  }

  /**
   * Runs that many steps.
   * @param scoped whether each gives at once back what it made
   */
  round(iterations: number, scoped = false): Promise<Round> {
    return this.ask({ order: 'round', iterations, scoped });
  }

  /** Runs steps and watches the resident size. */
  memory(steps: number, seconds: number): Promise<MemoryReport> {
    return this.ask({ order: 'memory', steps, seconds });
  }

  /** Ends the process. */
  close(): void {
    this.child.stdin!.end();
    this.child.kill();
  }

  private async ask<Answer>(order: Record<string, unknown>): Promise<Answer> {
    this.child.stdin!.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.answers.next();
    if (done === true)
      throw new Error(`${this.library.name} ended: ${this.said.trim().split('\n').slice(-12).join('\n')}`);
    const answer = JSON.parse(value) as Answer & { error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }
}
