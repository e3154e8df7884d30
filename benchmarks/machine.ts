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
  /** The core that the main threads ran on, if it was one. */
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
 * Keeps the main thread of a process on one core. Other threads of it, with which V8 compiles and collects
 * garbage, stay free, as they are in every program.
 */
export function pinMainThread(process: number, core: number): void {
  spawnSync('taskset', ['--cpu-list', '--pid', String(core), String(process)], { stdio: 'ignore' });
}

/** Whether threads can be kept on a core. */
export function canPin(): boolean {
  return os.platform() === 'linux' && spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0;
}
