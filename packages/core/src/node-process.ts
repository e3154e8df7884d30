/** What the library uses of Node, which is had without an import that browsers and bundlers would stumble over. */
export interface NodeProcess {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly versions?: { readonly v8?: string };
  getBuiltinModule?(name: 'node:worker_threads'): { Worker: new (source: string, options: object) => NodeWorker };
  getBuiltinModule?(name: 'node:v8'): { setFlagsFromString(flags: string): void };
  getBuiltinModule?(name: 'node:vm'): {
    runInNewContext(code: string): () => void;
    createContext(globals: object, options: { microtaskMode: 'afterEvaluate' }): object;
    Script: new (code: string) => { runInContext(context: object): void };
  };
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
