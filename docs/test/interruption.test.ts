import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Interruption } from '../examples/interruption.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let interruption: Interruption;
afterEach(() => {
  interruption.end();
  jest.restoreAllMocks();
});

describe('an interruption', () => {
  it('is announced once and then asked for', async () => {
    let announced = 0;
    interruption = new Interruption(() => announced++);
    expect([await interruption.requested(), interruption.signal, interruption.exitCode]).toEqual([
      false,
      null,
      0,
    ]);
    process.emit('SIGINT');
    process.emit('SIGINT');
    expect([await interruption.requested(), interruption.signal, interruption.exitCode]).toEqual([
      true,
      'SIGINT',
      130,
    ]);
    expect(announced).toBe(1);
  });

  it('may also be a request to terminate', async () => {
    interruption = new Interruption(() => {});
    process.emit('SIGTERM');
    expect([await interruption.requested(), interruption.exitCode]).toEqual([true, 143]);
  });

  it('ends the program when it comes again later, but not when npm passes the same one on', async () => {
    const exit = jest.spyOn(process, 'exit').mockImplementation((() => {}) as () => never);
    interruption = new Interruption(() => {});
    process.emit('SIGINT');
    await pause(100);
    process.emit('SIGINT');
    expect(exit).not.toHaveBeenCalled();
    await pause(400);
    process.emit('SIGINT');
    expect(exit).toHaveBeenCalledWith(130);
  });

  it('lets the event loop turn while it is asked in a row', async () => {
    interruption = new Interruption(() => {});
    const loop = { turned: false };
    setImmediate(() => (loop.turned = true));
    const start = performance.now();
    while (performance.now() - start < 200 && !loop.turned) await interruption.requested();
    expect(loop.turned).toBe(true);
  });

  it('is no more when it has ended', () => {
    const before = process.listenerCount('SIGINT');
    interruption = new Interruption(() => {});
    expect(process.listenerCount('SIGINT')).toBe(before + 1);
    interruption.end();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
