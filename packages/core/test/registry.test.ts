import { afterEach, describe, expect, it } from '@jest/globals';
import {
  active,
  currentBackend,
  registerBackend,
  setBackend,
  useBackend,
  withBackend,
} from '../src/backend/registry.ts';
import type { Backend } from '../src/backend/types.ts';
import { DeviceError } from '../src/errors.ts';

const none = currentBackend();
const named = (name: string): Backend => ({ name, kernels: { ...none.kernels } });

describe('the registry of backends', () => {
  afterEach(() => setBackend(none));

  it('says what to do when no backend is set', () => {
    expect(() => active.kernels.copy).toThrow(DeviceError);
    expect(() => active.kernels.copy).toThrow('no backend is set');
  });
  it('gives kernels of the backend that was set last', () => {
    const backend = named('first');
    setBackend(backend);
    expect(active.kernels).toBe(backend.kernels);
    expect(currentBackend()).toEqual(backend);
  });
  it('loads a backend when it is asked for by name', async () => {
    let loads = 0;
    registerBackend('second', () => {
      loads++;
      return Promise.resolve(named('second'));
    });
    expect(loads).toBe(0);
    await useBackend('second');
    expect([loads, active.name]).toEqual([1, 'second']);
  });
  it('names the known ones when it is asked for an unknown one, and changes nothing', async () => {
    registerBackend('second', () => Promise.resolve(named('second')));
    await expect(useBackend('third')).rejects.toThrow("unknown backend 'third'; known are second");
    expect(active.name).toBe(none.name);
  });
  it('lends a backend for one call and takes it back, also when the call throws', () => {
    expect(withBackend(named('lent'), () => active.name)).toBe('lent');
    expect(active.name).toBe(none.name);
    const fail = (): never => {
      throw new Error('inside');
    };
    expect(() => withBackend(named('lent'), fail)).toThrow('inside');
    expect(active.name).toBe(none.name);
  });
});
