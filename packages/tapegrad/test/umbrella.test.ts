import { describe, expect, it } from '@jest/globals';
import * as core from '@tapegrad/core';
import * as data from '@tapegrad/data';
import * as interop from '@tapegrad/interop';
import * as nn from '@tapegrad/nn';
import * as optim from '@tapegrad/optim';
import * as tg from 'tapegrad';

describe('tapegrad', () => {
  it('gives all of core by its own names', () => {
    const all = new Map(Object.entries(tg));
    const missing = Object.entries(core).filter(([name, value]) => all.get(name) !== value);
    expect(missing).toEqual([]);
    expect(Object.keys(core).length).toBeGreaterThan(100);
  });

  it('gives the other packages as namespaces, and nothing else', () => {
    expect({ nn: tg.nn, optim: tg.optim, data: tg.data, interop: tg.interop }).toEqual({
      nn,
      optim,
      data,
      interop,
    });
    const own = Object.keys(tg).filter((name) => !(name in core));
    expect(own.sort()).toEqual(['data', 'interop', 'nn', 'optim']);
  });

  it('trains with nothing but its own names and types', () => {
    class Line extends tg.nn.Module {
      layer: tg.nn.Linear = new tg.nn.Linear(1, 1);
      forward(x: tg.Tensor): tg.Tensor {
        return this.layer(x);
      }
    }
    tg.manualSeed(0);
    const x: tg.Tensor = tg.linspace(-1, 1, 8).view([8, 1]);
    const batches: tg.data.DataLoader<[tg.Tensor, tg.Tensor]> = new tg.data.DataLoader(
      new tg.data.TensorDataset(x, x.mul(3).add(1)),
      { batchSize: 4, shuffle: true },
    );
    const model = new Line();
    const optimizer: tg.optim.SGD = new tg.optim.SGD(model.parameters(), { lr: 0.2 });
    for (let epoch = 0; epoch < 60; epoch++) {
      for (const [input, target] of batches) {
        const loss = tg.nn.functional.mseLoss(model(input), target);
        model.zero_grad();
        loss.backward();
        optimizer.step();
      }
    }
    const { tensors } = tg.interop.loadTensors(tg.interop.saveTensors(model.stateDict()));
    expect(tensors['layer.weight']!.item()).toBeCloseTo(3, 3);
    expect(tensors['layer.bias']!.item()).toBeCloseTo(1, 3);
  });
});
