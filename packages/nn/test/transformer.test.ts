import { describe, expect, it } from '@jest/globals';
import * as tg from '@tapegrad/core';
import type { Tensor } from '@tapegrad/core';
import * as nn from '@tapegrad/nn';

const near = (values: readonly number[]): unknown => values.map((value) => expect.closeTo(value, 5));
const flat = (x: Tensor): number[] => [...x.toTypedArray()];
const row = (values: number[]): Tensor => tg.tensor([[values]]);

/** Every parameter as cos 0, cos 1, …. */
function withCosines<T extends nn.Module>(model: T): T {
  tg.noGrad(() => {
    for (const parameter of model.parameters()) parameter.copy_(tg.arange(0, parameter.numel()).to('float32').cos().reshape(parameter.shape));
  });
  return model;
}

describe('transformer layers', () => {
  const options = { dimFeedforward: 16, dropout: 0 };

  it('encode as PyTorch does', () => {
    const layer = withCosines(new nn.TransformerEncoderLayer(4, 2, options));
    expect(flat(layer(row([20, 30, 40, 50])))).toEqual(near([2.258703, 0.127985, -0.697881, 0.170862]));
    const steps = tg.tensor([[[1, 2, 3, 4]], [[5, 6, 7, 8]]]);
    expect(flat(layer(steps).select(0, 1))).toEqual(near([2.272644, 0.119035, -0.691669, 0.153486]));
    const padded = layer(steps, { srcKeyPaddingMask: tg.tensor([[true, false]]) });
    expect(flat(padded.select(0, 0))).toEqual(near([2.301516, 0.092249, -0.679101, 0.103088]));
  });

  it('decode as PyTorch does', () => {
    const layer = withCosines(new nn.TransformerDecoderLayer(4, 2, options));
    expect(flat(layer(row([20, 30, 40, 50]), row([60, 70, 80, 90])))).toEqual(near([2.314351, 0.094805, -0.671322, 0.101977]));
  });

  it('stack copies with the same values, which draw no numbers', () => {
    tg.manualSeed(0);
    const encoder = new nn.TransformerEncoder(new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8, dropout: 0.3 }), 2);
    const [first, second] = encoder.layers.values() as [nn.TransformerEncoderLayer, nn.TransformerEncoderLayer];
    expect(second.linear1.weight).not.toBe(first.linear1.weight);
    expect(second.linear1.weight.toArray()).toEqual(first.linear1.weight.toArray());
    const x = tg.randn([3, 1, 4]);
    tg.manualSeed(2);
    expect(flat(encoder(x).flatten().narrow(0, 0, 4))).toEqual(near([-0.640815, 1.636642, -0.042459, -0.953368]));
  });

  it("begin with PyTorch's values and keys, and leave its random stream where it does", () => {
    tg.manualSeed(0);
    const model = new nn.Transformer(4, 2, { numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 8 });
    const { linear1 } = model.encoder.layers.at(0) as nn.TransformerEncoderLayer;
    expect(flat(linear1.weight.select(0, 0))).toEqual(near([0.037859, -0.436596, 0.036242, 0.339049]));
    expect(tg.rand([1]).item()).toBeCloseTo(0.4255070090293884, 7);
    const keys = Object.keys(model.stateDict());
    expect(keys.slice(0, 4)).toEqual(['in_proj_weight', 'in_proj_bias', 'out_proj.weight', 'out_proj.bias'].map((key) => `encoder.layers.0.self_attn.${key}`));
    expect(keys.at(-1)).toBe('decoder.norm.bias');
  });

  it('see no later step with the mask for that', () => {
    const model = new nn.Transformer(4, 2, { numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 8, dropout: 0, batchFirst: true });
    const mask = nn.Transformer.generateSquareSubsequentMask(3);
    expect(mask.toArray()).toEqual([[0, -Infinity, -Infinity], [0, 0, -Infinity], [0, 0, 0]]);
    const [src, tgt] = [tg.randn([2, 3, 4]), tg.randn([2, 3, 4])];
    const before = model(src, tgt, { tgtMask: mask }).narrow(1, 0, 2);
    const other = tg.cat([tgt.narrow(1, 0, 2), tg.randn([2, 1, 4])], 1);
    expect(flat(model(src, other, { tgtMask: mask }).narrow(1, 0, 2))).toEqual(near(flat(before)));
  });

  it('take other activations, and refuse unknown ones', () => {
    const layer = new nn.TransformerEncoderLayer(4, 2, { ...options, activation: (x) => x.mul(0) });
    const attended = layer.norm1(row([1, 2, 3, 4]).add(layer.selfAttn(row([1, 2, 3, 4]), row([1, 2, 3, 4]), row([1, 2, 3, 4]))[0]));
    expect(flat(layer(row([1, 2, 3, 4])))).toEqual(near(flat(layer.norm2(attended.add(layer.linear2.bias!)))));
    expect(() => new nn.TransformerEncoderLayer(4, 2, { activation: 'tanh' as 'relu' })).toThrow(/'relu', 'gelu' or a function/);
    const model = new nn.Transformer(4, 2, { numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 8 });
    expect(() => model(tg.ones([3, 2, 4]), tg.ones([3, 1, 4]))).toThrow(/both need 4 features and the same batch/);
  });
});

describe('MultiheadAttention', () => {
  it("draws PyTorch's initial values, and drops the same weights", () => {
    tg.manualSeed(0);
    const attention = new nn.MultiheadAttention(4, 2, { dropout: 0.5, addBiasKv: true });
    const x = tg.randn([3, 1, 4]);
    tg.manualSeed(1);
    const [output, weights] = attention(x, x, x);
    expect(flat(attention.inProjWeight!.select(0, 0))).toEqual(near([0.222424, 0.508507, -0.126026, 0.458246]));
    expect(flat(attention.biasK!)).toEqual(near([-1.10939, 0.129492, -0.514851, -0.250379]));
    expect(flat(output).slice(0, 4)).toEqual(near([-0.232021, 0.229459, -0.072336, 0.353259]));
    expect(flat(weights!).slice(0, 4)).toEqual(near([0.255663, 0.393912, 0.877835, 0.39137]));
  });

  it('projects one input at once as it does three', () => {
    const attention = new nn.MultiheadAttention(4, 2);
    const x = tg.randn([3, 2, 4], { requiresGrad: true });
    const [together] = attention(x, x, x);
    const [apart] = attention(x, x.clone(), x.clone());
    expect(flat(together)).toEqual(near(flat(apart)));
    const gradients = [together, apart].map((y) => flat(tg.grad(y.square().sum(), x, { retainGraph: true })[0]!));
    expect(gradients[0]).toEqual(gradients[1]!.map((value) => expect.closeTo(value, 4)));
  });

  it('is a function of its weights', () => {
    const attention = new nn.MultiheadAttention(4, 2, { kdim: 3, addBiasKv: true, addZeroAttn: true });
    const [q, k, v] = [tg.randn([2, 4]), tg.randn([3, 3]), tg.randn([3, 4])];
    const mask = tg.tensor([true, false, false]);
    const [expected, weights] = attention(q, k, v, { keyPaddingMask: mask });
    const parameters = { ...attention, outProjWeight: attention.outProj.weight, outProjBias: attention.outProj.bias };
    const [output, given] = nn.functional.multiHeadAttentionForward(q, k, v, 2, parameters, { addZeroAttn: true, keyPaddingMask: mask });
    expect([flat(output), flat(given!)]).toEqual([flat(expected), flat(weights!)]);
    expect(() => nn.functional.multiHeadAttentionForward(q, q, q, 3, parameters)).toThrow(/4 features are not divisible by 3 heads/);
  });

  it('says what does not fit', () => {
    const model = new nn.ModuleDict({ attention: new nn.MultiheadAttention(4, 2, { batchFirst: true }) });
    const attention = model.get('attention') as nn.MultiheadAttention;
    const x = tg.ones([2, 3, 4]);
    expect(() => new nn.MultiheadAttention(4, 3)).toThrow(/4 features are not divisible by 3 heads/);
    expect(() => attention(x, tg.ones([2, 3, 5]), x)).toThrow(/expected \[N, L, 4\], \[N, S, 4\] and \[N, S, 4\]/);
    expect(() => attention(x, x, x, { attnMask: tg.ones([2, 2]) })).toThrow(/attnMask is \[2, 2\], expected \[3, 3\] or \[4, 3, 3\]/);
    expect(() => attention(x, x, x, { keyPaddingMask: tg.ones([3, 2]) })).toThrow(/keyPaddingMask is \[3, 2\], expected \[2, 3\]/);
    expect(() => attention(x, x, x, { attnMask: tg.ones([3, 3], { dtype: 'int32' }) })).toThrow(/must be bool/);
    expect(() => attention(x, x, x, { isCausal: true })).toThrow(/isCausal is a hint about attnMask/);
  });
});
