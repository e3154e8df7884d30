import { describe, expect, it } from '@jest/globals';
import { tensor, type Tensor } from '@tapegrad/core';
import * as optim from '../src/index.ts';

type AnyOptimizer = optim.Optimizer<{ lr: number }>;
type Class = new (params: never, options?: never) => AnyOptimizer;
const classes: Record<string, Class> = {
  Adadelta: optim.Adadelta,
  Adafactor: optim.Adafactor,
  Adagrad: optim.Adagrad,
  Adam: optim.Adam,
  AdamW: optim.AdamW,
  Adamax: optim.Adamax,
  ASGD: optim.ASGD,
  LBFGS: optim.LBFGS,
  Lion: optim.Lion,
  Muon: optim.Muon,
  NAdam: optim.NAdam,
  RAdam: optim.RAdam,
  RMSprop: optim.RMSprop,
  Rprop: optim.Rprop,
  SGD: optim.SGD,
};
const names = Object.keys(classes);
const parameter = (): Tensor => tensor([[1, -2], [3, 0.5]], { requiresGrad: true });
const make = (name: string, options?: object, p: Tensor = parameter()): AnyOptimizer => {
  return new classes[name]!([p] as never, options as never);
};

/** Values out of range by option, with what the message says. */
const wrong: [string, unknown, string][] = [
  ['lr', -1, 'Invalid learning rate: -1'],
  ['lr', NaN, 'Invalid learning rate: NaN'],
  ['lr', '0.1', 'Invalid learning rate: 0.1'],
  ['betas', [0.9, 1], 'Invalid beta parameter at index 1: 1'],
  ['weightDecay', -0.1, 'Invalid weight_decay value: -0.1'],
  ['momentum', -0.1, 'Invalid momentum value: -0.1'],
  ['alpha', -0.1, 'Invalid alpha value: -0.1'],
  ['rho', 1.1, 'Invalid rho value: 1.1'],
  ['lrDecay', -1, 'Invalid lr_decay value: -1'],
  ['momentumDecay', -1, 'Invalid momentum_decay value: -1'],
  ['initialAccumulatorValue', -1, 'Invalid initial_accumulator_value value: -1'],
  ['etas', [1, 0.5], 'Invalid eta values: 1, 0.5'],
  ['stepSizes', [2, 1], 'Invalid step_sizes values: 2, 1'],
  ['adjustLrFn', 'none', 'Invalid adjustment of the rate: none'],
  ['d', 0.5, 'Invalid clipping threshold d: 0.5'],
];

describe.each(names)('%s', (name) => {
  it('refuses options that are out of range, in the constructor, in a group and in a state', () => {
    const known = wrong.filter(([option]) => option in make(name).defaults);
    expect(known.length).toBeGreaterThanOrEqual(3);
    for (const [option, value, message] of known) {
      expect(() => make(name, { [option]: value })).toThrow(message);
      const optimizer = make(name);
      if (name !== 'LBFGS') {
        expect(() => optimizer.addParamGroup({ params: [parameter()], [option]: value })).toThrow(message);
      }
      expect(optimizer.paramGroups).toHaveLength(1);
      const dict = optimizer.stateDict();
      const before = optimizer.paramGroups[0]!.lr;
      const key = option.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
      expect(() => optimizer.loadStateDict({ ...dict, param_groups: [{ ...dict.param_groups[0]!, lr: 9, [key]: value }] })).toThrow(
        message,
      );
      expect(optimizer.paramGroups[0]!.lr).toBe(before);
    }
  });

  it('refuses options that it does not have, and says which was meant', () => {
    expect(() => make(name, { LR: 1 })).toThrow('unknown option LR of an optimizer. Did you mean lr?');
    expect(() => make(name, { speed: 1 })).toThrow(/unknown option speed of an optimizer. Options are lr, /);
    expect(() => make(name, 0.1 as unknown as object)).toThrow('further arguments are options, given by name, as in { lr: … }; got 0.1');
    const usual = make(name).defaults;
    const nothing = Object.fromEntries(Object.keys(usual).map((option) => [option, undefined]));
    expect(make(name, nothing).defaults).toEqual(usual);
  });

  it('leaves a parameter without a gradient alone', () => {
    if (name === 'LBFGS') return;
    const p = parameter();
    const optimizer = make(name, {}, p);
    optimizer.step();
    expect([p.toArray(), optimizer.state.size]).toEqual([[[1, -2], [3, 0.5]], 0]);
  });

  it('goes up instead of down where it is told to maximize', () => {
    if (!('maximize' in make(name).defaults)) return;
    const run = (maximize: boolean): unknown => {
      const p = parameter();
      const optimizer = make(name, { maximize, ...('weightDecay' in make(name).defaults ? { weightDecay: 0.01 } : {}) }, p);
      for (let i = 1; i < 8; i++) {
        const g = p.detach().add(i).sin();
        p.grad = maximize ? g.neg() : g;
        optimizer.step();
      }
      return p.toArray();
    };
    expect(run(true)).toEqual(run(false));
  });

  it('descends, on the default backend and in float32', () => {
    const weight = tensor([[0.3, -0.2], [0.5, 0.4]], { requiresGrad: true });
    const bias = tensor([[0.1, 0.2]], { requiresGrad: true });
    const optimizer = new classes[name]!([weight, bias] as never);
    const x = tensor([[1, -1], [0.5, 2], [-1.5, 0.3]]);
    const losses = Array.from({ length: 20 }, () => {
      const closure = (): Tensor => {
        optimizer.zeroGrad();
        const loss = x.matmul(weight).add(bias).square().sum();
        loss.backward();
        return loss;
      };
      return optimizer.step(closure).item();
    });
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });
});

describe('what PyTorch has and is not here', () => {
  it('is refused with the reason, and may be switched off', () => {
    const p = parameter();
    expect(() => new optim.Adam([p], { fused: true } as object)).toThrow('there is no option fused: each parameter is changed by one kernel anyway');
    expect(() => new optim.SGD([p], { differentiable: true } as object)).toThrow('no option differentiable: steps are not recorded');
    expect(new optim.Adam([p], { foreach: false, capturable: null } as object).defaults).not.toHaveProperty('foreach');
    expect(() => new optim.SGD([p], { lr: tensor(0.1) } as object)).toThrow('Invalid learning rate: a Tensor, which steps do not read; give its item()');
    const optimizer = new optim.SGD([p]);
    const { StepLR, ReduceLROnPlateau, OneCycleLR } = optim.lrScheduler;
    for (const make of [
      (options: object) => new StepLR(optimizer, 2, options),
      (options: object) => new ReduceLROnPlateau(optimizer, options),
      (options: object) => new OneCycleLR(optimizer, 1, { totalSteps: 4, cycleMomentum: false, ...options }),
    ]) {
      expect(() => make({ verbose: true })).toThrow('there is no option verbose: log getLastLr() instead');
      expect(() => make({ verbose: false })).not.toThrow();
      expect(() => make(null as never)).not.toThrow(TypeError);
    }
  });

  it('methods refuse what they would ignore', () => {
    const p = parameter();
    const optimizer = new optim.SGD([p]);
    expect(() => optimizer.zeroGrad({ setToNon: true } as object)).toThrow('zeroGrad: unknown option setToNon. Did you mean setToNone?');
    expect(() => optimizer.zeroGrad(false as never)).toThrow('as in { setToNone: … }; got false');
    expect(() => optimizer.step(p as never)).toThrow('SGD.step takes a closure or nothing, got');
    const schedule = new optim.lrScheduler.StepLR(optimizer, 2);
    expect(() => schedule.step(p as never)).toThrow('StepLR: step takes an epoch or nothing');
    expect(() => new optim.swaUtils.AveragedParameters([p], { dekay: 0.9 } as object)).toThrow('Did you mean decay?');
    expect(() => optim.leastSquares((x) => x, [1], { xTol: 1 } as object)).toThrow('leastSquares: unknown option xTol. Did you mean xtol?');
    expect(() => optim.curveFit((x: Tensor) => x, p, p, [1], { sigmas: 1 } as object)).toThrow(/unknown option sigmas/);
  });
});

describe('groups', () => {
  it('must be groups', () => {
    for (const group of [{}, { params: 3 }, ['name', parameter()]]) {
      expect(() => new optim.SGD([group] as never)).toThrow('a parameter group must be an object with params, a tensor or an iterable of them');
    }
    expect(() => new optim.Muon([{ param: [parameter()] }] as never)).toThrow('a parameter group must be an object with params');
    const optimizer = new optim.SGD([parameter()]);
    expect(() => optimizer.addParamGroup(undefined as never)).toThrow('a parameter group must be an object with params');
  });

  it('may carry what a user puts into them, but no misspelt options', () => {
    const optimizer = new optim.AdamW([{ params: [parameter()], name: 'decoder' } as never]);
    expect((optimizer.stateDict().param_groups[0] as Record<string, unknown>)['name']).toBe('decoder');
    expect(() => optimizer.addParamGroup({ params: [parameter()], weight_decay: 0 } as never)).toThrow(
      'unknown option weight_decay of an optimizer. Did you mean weightDecay?',
    );
  });
});
