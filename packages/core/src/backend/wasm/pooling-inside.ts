import { Assembler, f32x4, i32, i32x4, v128 } from './assembler.ts';

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

/** Writes the module: four windows of a row at a time. */
export function buildInside(): InsideKernels {
  const assembler = new Assembler();
  assembler.function('maxPool', { ...operands, ...windows, ...steps }, null, (f, p) => {
    const [d, h, w, tap, base, offset] = [f.i32(), f.i32(), f.i32(), f.i32(), f.i32(), f.i32()];
    const starts = Array.from({ length: LANES }, () => f.i32());
    const [best, value, found, at, better, first] = [
      f.local('v128'),
      f.local('v128'),
      f.local('v128'),
      f.local('v128'),
      f.local('v128'),
      f.local('v128'),
    ];
    const locate = (): void => {
      // What is beyond the last window repeats it, and is not stored.
      starts.forEach((start, lane) => {
        f.set(start, i32.add(w, lane));
        f.if(i32.ge(start, p.width), () => f.set(start, i32.sub(p.width, 1)));
        f.set(start, i32.add(base, i32.mul(start, p.step)));
        f.set(first, i32x4.replace(first, lane, start));
        f.set(start, i32.add(p.x, i32.shl(start, 2)));
      });
    };
    const takeTap = (): void => {
      f.set(offset, i32.load(tap));
      starts.forEach((start, lane) => {
        f.set(value, f32x4.loadLane(value, lane, i32.add(start, i32.shl(offset, 2))));
      });
      f.set(at, i32x4.add(first, i32x4.splat(offset)));
      const isFirstNaN = v128.and(f32x4.ne(value, value), f32x4.eq(best, best));
      f.set(better, v128.or(f32x4.gt(value, best), isFirstNaN));
      f.set(best, v128.bitselect(value, best, better));
      f.set(found, v128.bitselect(at, found, better));
    };
    const storeWindows = (): void => {
      f.if(
        i32.le(w, i32.sub(p.width, LANES)),
        () => {
          f.store(p.out, best);
          f.store(p.indices, found);
        },
        () => {
          for (let lane = 0; lane < LANES - 1; lane++) {
            f.if(i32.lt(i32.add(w, lane), p.width), () => {
              f.storeLane(4, lane, p.out, best, lane * 4);
              f.storeLane(4, lane, p.indices, found, lane * 4);
            });
          }
        },
      );
    };
    f.repeat(p.planes, () => {
      f.for(d, 0, p.depth, 1, () => {
        f.for(h, 0, p.height, 1, () => {
          f.set(base, i32.add(i32.mul(d, p.planeStep), i32.mul(h, p.rowStep)));
          f.for(w, 0, p.width, LANES, () => {
            locate();
            f.set(best, f32x4.const(-Infinity));
            f.set(found, i32x4.add(first, i32x4.splat(i32.load(p.taps))));
            f.set(tap, p.taps);
            f.repeat(p.tapCount, () => {
              takeTap();
              f.increment(tap, 4);
            });
            storeWindows();
            f.increment(p.out, LANES * 4);
            f.increment(p.indices, LANES * 4);
          });
          // The last step may have gone beyond the row.
          f.set(offset, i32.shl(i32.sub(w, p.width), 2));
          f.set(p.out, i32.sub(p.out, offset));
          f.set(p.indices, i32.sub(p.indices, offset));
        });
      });
      f.increment(p.x, i32.shl(p.planeSize, 2));
    });
  });
  return assembler.compile<InsideKernels>();
}
