/** The parts of Node that threads need, which are had without an import that browsers and bundlers would stumble over. */
export interface NodeProcess {
  readonly env?: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?(name: 'node:worker_threads'): { Worker: new (source: string, options: object) => NodeWorker };
}

/** A worker of Node. */
export interface NodeWorker {
  unref(): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

/** Node's process; undefined in a browser. */
export function nodeProcess(): NodeProcess | undefined {
  return (globalThis as { process?: NodeProcess }).process;
}
