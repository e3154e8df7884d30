import { describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

describe('summary', () => {
  const model = (): nn.Sequential =>
    new nn.Sequential(new nn.Conv2d(1, 4, 3, { padding: 1 }), new nn.BatchNorm2d(4), new nn.ReLU(), new nn.Flatten(), new nn.Linear(4 * 36, 10));

  it('is a table of layers with shapes, parameters and multiply-adds', () => {
    expect(String(nn.summary(model(), [2, 1, 6, 6]))).toBe(
      [
        'layer    kind             output        parameters  multiply-adds',
        '-----------------------------------------------------------------',
        '(model)  Sequential       [2, 10]',
        '0        Conv2d 1 → 4     [2, 4, 6, 6]          40          2,592',
        '1        BatchNorm2d 4    [2, 4, 6, 6]           8',
        '2        ReLU             [2, 4, 6, 6]',
        '3        Flatten          [2, 144]',
        '4        Linear 144 → 10  [2, 10]            1,450          2,880',
        '-----------------------------------------------------------------',
        'total                                        1,498          5,472',
      ].join('\n'),
    );
  });

  it('leaves the model as it was', () => {
    const net = model();
    net.at(2).eval();
    const before = net.modules().map(({ training }) => training);
    const backend = tg.currentBackend().kernels;
    expect(() => nn.summary(net, [2, 3, 6, 6])).toThrow(/0 \(Conv2d 1 → 4\)/);
    nn.summary(net, [2, 1, 6, 6]);
    expect(net.modules().map(({ training }) => training)).toEqual(before);
    expect((net.at(1) as nn.BatchNorm2d).numBatchesTracked!.item()).toBe(0);
    expect(tg.currentBackend().kernels).toBe(backend);
  });

  it('charges each product to the innermost module, and counts shared parameters once', () => {
    class Twice extends nn.Module {
      inner = new nn.Linear(3, 3, { bias: false });
      unused = new nn.Linear(2, 2);
      forward(x: Tensor, y: Tensor): Tensor[] {
        return [this.inner(this.inner(x)).matmul(x.t()), y];
      }
    }
    const net = new Twice();
    net.unused.requiresGrad_(false);
    const { rows, totalParameters, trainableParameters, multiplyAdds } = nn.summary(net, [[2, 3], [5]]);
    expect(rows.map(({ path, outputShapes, multiplyAdds: own }) => [path, outputShapes, own])).toEqual([
      ['', [[2, 2], [5]], 12],
      ['inner', [[2, 3]], 36],
      ['unused', [], 0],
    ]);
    expect([totalParameters, trainableParameters, multiplyAdds]).toEqual([15, 9, 48]);
    expect(String(nn.summary(net, [[2, 3], [5]]))).toMatch(/unused +Linear 2 → 2 +not called +6\n[^]*6 of the parameters do not learn/);
  });

  it('takes tensors where zeros will not do', () => {
    const ids = tg.tensor([[1, 2]], { dtype: 'int32' });
    expect(nn.summary(new nn.Embedding(4, 3), ids).rows[0]!.outputShapes).toEqual([[1, 2, 3]]);
    const { multiplyAdds } = nn.summary(new nn.ConvTranspose1d(2, 3, 4), [1, 2, 5]);
    expect(multiplyAdds).toBe(2 * 5 * 3 * 4);
  });
});
