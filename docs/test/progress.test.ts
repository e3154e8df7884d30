import { describe, expect, it } from '@jest/globals';
import { Progress } from '../examples/progress.ts';

function setUp(
  isTTY: boolean,
  columns = 100,
): { progress: Progress; tick: (ms: number) => void; take: () => string } {
  let time = 0;
  let written = '';
  const terminal = { isTTY, columns, write: (text: string) => (written += text) };
  return {
    progress: new Progress({ label: 'epoch 1/3', total: 1000, terminal, now: () => time }),
    tick: (ms) => (time += ms),
    take: () => {
      const text = written;
      written = '';
      return text;
    },
  };
}

describe('progress on a terminal', () => {
  it('redraws one line with everything on it', () => {
    const { progress, tick, take } = setUp(true, 120);
    tick(500);
    progress.update(250, { loss: 0.51234, accuracy: 0.875 });
    const bar = '━'.repeat(7) + '╸' + '─'.repeat(22);
    expect(take()).toBe(
      `\r\u001b[Kepoch 1/3 ${bar}   25%  loss 0.5123  accuracy 87.50%  500 images/s  1.5 s left`,
    );
  });

  it('does not redraw oftener than an eye can see', () => {
    const { progress, tick, take } = setUp(true);
    for (let i = 1; i <= 1000; i++) {
      tick(1);
      progress.update(i);
    }
    expect(take().split('\r').length - 1).toBeLessThanOrEqual(13);
  });

  it('never is wider than the terminal', () => {
    for (let columns = 10; columns < 130; columns++) {
      const { progress, tick, take } = setUp(true, columns);
      tick(500);
      progress.update(250, { loss: 0.5, accuracy: 0.9 });
      expect(take().replace('\r\u001b[K', '').length).toBeLessThan(columns);
    }
  });

  it('has a bar in 80 columns too, or when the width is not known', () => {
    for (const columns of [80, 0]) {
      const { progress, tick, take } = setUp(true, columns);
      tick(500);
      progress.update(250, { loss: 0.51234, accuracy: 0.875 });
      const line = take().replace('\r\u001b[K', '');
      expect(line).toMatch(
        /^epoch 1\/3 ━+╸?─+ {3}25% {2}loss 0\.5123 {2}acc 87\.50% {2}500 images\/s {2}1\.5 s left$/,
      );
      expect(line.length).toBeLessThan(80);
    }
  });

  it('leaves a plain line with the time taken when it is finished', () => {
    const { progress, tick, take } = setUp(true);
    tick(2000);
    progress.update(999);
    take();
    progress.finish({ loss: 0.25, accuracy: 0.925 });
    expect(take()).toBe('\r\u001b[Kepoch 1/3  100%  loss 0.2500  accuracy 92.50%  500 images/s  2.0 s\n');
  });

  it('counts what was done before as done, but not as its own speed', () => {
    let written = '';
    let time = 0;
    const terminal = { isTTY: true, columns: 80, write: (text: string) => (written += text) };
    const progress = new Progress({ label: 'epoch 2', total: 1000, from: 500, terminal, now: () => time });
    time = 1000;
    progress.update(600);
    expect(written).toContain(' 60%  100 images/s  4.0 s left');
  });

  it('makes room for a note and comes back below it', () => {
    const { progress, tick, take } = setUp(true);
    tick(100);
    progress.update(10);
    take();
    progress.note('saved');
    expect(take()).toBe('\r\u001b[Ksaved\n');
    tick(1);
    progress.update(11);
    expect(take()).toContain('\r\u001b[Kepoch 1/3 ╸──');
  });
});

describe('progress in a log', () => {
  it('writes plain lines, one for each tenth, and one at the end', () => {
    const { progress, tick, take } = setUp(false);
    for (let i = 1; i <= 1000; i++) {
      tick(20);
      progress.update(i, { loss: 1 / i });
    }
    progress.finish();
    const lines = take().split('\n');
    expect(lines).toHaveLength(12);
    expect(lines[0]).toBe('epoch 1/3   10%  loss 0.0100  50 images/s  18 s left');
    expect(lines[10]).toBe('epoch 1/3  100%  loss 0.0010  50 images/s  20 s');
    for (const character of '\r\u001b━') expect(lines.join('')).not.toContain(character);
  });

  it('is quiet when it goes fast, and not silent when it goes slowly', () => {
    const fast = setUp(false);
    for (let i = 1; i <= 1000; i++) {
      fast.tick(0.5);
      fast.progress.update(i);
    }
    expect(fast.take()).toBe('');
    const slow = setUp(false);
    for (let i = 1; i <= 4; i++) {
      slow.tick(3000);
      slow.progress.update(i);
    }
    expect(slow.take()).toBe(
      'epoch 1/3    0%  0 images/s  49:54 min left\nepoch 1/3    0%  0 images/s  49:48 min left\n',
    );
  });

  it('writes long times in hours', () => {
    const { progress, tick, take } = setUp(false);
    tick(10_000);
    progress.update(1);
    expect(take()).toContain('2:46:30 h left');
  });
});
