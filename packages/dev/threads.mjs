// What an installed tapegrad must be able to do wherever threads may share memory: the same results on two of them.
import * as tg from 'tapegrad';

/** Multiplies until another thread has helped; returns whether all results were the same, or why there are no threads. */
export async function threads() {
  const x = tg.rand([300, 300]);
  const bits = () => tg.scope(() => new Int32Array(x.matmul(x).exp().reshape([-1]).toTypedArray().buffer).join());
  const alone = bits();
  tg.setNumThreads(2);
  let areSame = true;
  for (let tries = 0; tries < 2000 && tg.getNumThreads() > 1; tries += 1) {
    areSame &&= bits() === alone;
    if (/[1-9]\d* of/.test(tg.parallelInfo())) return `on two threads, the same ${areSame}`;
    // A page starts workers between tasks.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return `${tg.parallelInfo()}; the same ${areSame}`;
}
