import { spawnSync } from 'node:child_process';
import os from 'node:os';

/** Where the numbers come from. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly system: string;
  readonly node: string;
  readonly v8: string;
  /**
   * Processes that were ready to run when the measurement began; far above 0 means that others were at work.
   */
  readonly load: number;
  readonly threads: number;
  /** The core that everything ran on, if it was one. */
  readonly core: number | null;
}

/** Describes this machine. */
export function describeMachine(threads: number, core: number | null): Machine {
  const cpus = os.cpus();
  return {
    processor: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGigabytes: Math.round(os.totalmem() / 1e9),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    v8: process.versions.v8,
    load: os.loadavg()[0] ?? 0,
    threads,
    core,
  };
}

/**
 * What to put before a command so that it runs on one core alone; nothing where the system cannot do that.
 */
export function pinTo(core: number | null): string[] {
  return core === null ? [] : ['taskset', '-c', String(core)];
}

/** Whether commands can be pinned to a core. */
export function canPin(): boolean {
  return os.platform() === 'linux' && spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0;
}
