import { Assembler, f32x4, i32, i32x4, type Local, type Value, v128 } from './assembler.ts';

type V = Local<'v128'>;

/** Pooling of single-precision planes whose windows all lie inside: no padding, nothing overhangs. */
export interface InsideKernels {
  /** Steps are in elements; `taps` is the address of a table of how far each tap is from a window's start. */
  maxPool(
    out: number,
    indices: number,
    x: number,
    planes: number,
    planeSize: number,
    depth: number,
    height: number,
    width: number,
    planeStep: number,
    rowStep: number,
    step: number,
    taps: number,
    tapCount: number,
  ): void;
}

const LANES = 4;

const operands = { out: 'i32', indices: 'i32', x: 'i32', planes: 'i32', planeSize: 'i32' } as const;
const windows = { depth: 'i32', height: 'i32', width: 'i32' } as const;
const steps = { planeStep: 'i32', rowStep: 'i32', step: 'i32', taps: 'i32', tapCount: 'i32' } as const;

/** Windows of at most so many taps have a kernel of their own, in which one tap follows the other without a loop. */
export const FEW_TAPS = 9;

/**
 * Writes the module: four windows of a row at a time.
 * @param tapCount how many taps the windows have; 0 for any number
 * @param step distance of windows in a row where it is 1 or 2; 0 for any
 */
export function buildInside(tapCount: number, step: 0 | 1 | 2): InsideKernels {
  const assembler = new Assembler();
  assembler.function('maxPool', { ...operands, ...windows, ...steps }, null, (f, p) => {
    const [d, h, w, tap, base, address] = [f.i32(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32()];
    const [best, value, found, places, better] = Array.from({ length: 5 }, () => f.local('v128')) as [V, V, V, V, V];
    // A row of fewer windows repeats its last one, which is not stored.
    const last = f.i32(i32.sub(p.width, LANES));
    f.if(i32.lt(last, 0), () => f.set(last, i32.const(0)));
    const starts = f.local('v128');
    const laneSteps = Array.from({ length: LANES }, (_, lane) => {
      const start = f.i32(i32.sub(p.width, 1));
      f.if(i32.gt(start, lane), () => f.set(start, i32.const(lane)));
      f.set(start, i32.mul(start, p.step));
      f.set(starts, i32x4.replace(starts, lane, start));
      return f.i32(i32.shl(start, 2));
    });
    const few = Array.from({ length: tapCount }, (_, k) => {
      const offset = f.i32(i32.load(p.taps, 4 * k));
      const offsets = f.local('v128');
      f.set(offsets, i32x4.splat(offset));
      return { offset, offsets };
    });
    const load = (): Value<'v128'> => {
      if (step === 1) return f32x4.load(address);
      if (step === 2) return f32x4.shuffle(f32x4.load(address), f32x4.load(address, 16), [0, 2, 4, 6]);
      laneSteps.forEach((apart, lane) => f.set(value, f32x4.loadLane(value, lane, i32.add(address, apart))));
      return value;
    };
    const takeTap = (offset: Value<'i32'>, offsets: Value<'v128'>): void => {
      f.set(address, i32.add(base, i32.shl(offset, 2)));
      f.set(value, load());
      // Neither at most as large nor behind a NaN: larger, or the first NaN.
      f.set(better, v128.andNot(f32x4.eq(best, best), f32x4.le(value, best)));
      f.set(best, v128.bitselect(value, best, better));
      f.set(found, v128.bitselect(i32x4.add(places, offsets), found, better));
    };
    const storeWindows = (): void => {
      f.if(
        i32.ge(p.width, LANES),
        () => {
          f.store(i32.add(p.out, i32.shl(w, 2)), best);
          f.store(i32.add(p.indices, i32.shl(w, 2)), found);
        },
        () => {
          for (let lane = 0; lane < LANES - 1; lane++) {
            f.if(i32.gt(p.width, lane), () => {
              f.storeLane(4, lane, p.out, best, lane * 4);
              f.storeLane(4, lane, p.indices, found, lane * 4);
            });
          }
        },
      );
    };
    const takeWindows = (): void => {
      f.set(base, i32.add(i32.add(i32.mul(d, p.planeStep), i32.mul(h, p.rowStep)), i32.mul(w, p.step)));
      f.set(places, i32x4.add(starts, i32x4.splat(base)));
      f.set(base, i32.add(p.x, i32.shl(base, 2)));
      f.set(best, f32x4.const(-Infinity));
      f.set(found, i32x4.add(places, i32x4.splat(i32.load(p.taps))));
      few.forEach(({ offset, offsets }) => takeTap(offset, offsets));
      if (few.length === 0) {
        f.set(tap, p.taps);
        f.repeat(p.tapCount, () => {
          takeTap(i32.load(tap), i32x4.splat(i32.load(tap)));
          f.increment(tap, 4);
        });
      }
      storeWindows();
    };
    f.repeat(p.planes, () => {
      f.for(d, 0, p.depth, 1, () => {
        f.for(h, 0, p.height, 1, () => {
          f.for(w, 0, last, LANES, takeWindows);
          // The last windows of a row may be taken twice.
          f.set(w, last);
          takeWindows();
          f.increment(p.out, i32.shl(p.width, 2));
          f.increment(p.indices, i32.shl(p.width, 2));
        });
      });
      f.increment(p.x, i32.shl(p.planeSize, 2));
    });
  });
  return assembler.compile<InsideKernels>();
}
