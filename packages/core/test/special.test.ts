import { describe, expect, it } from '@jest/globals';
import * as tg from '../src/index.ts';
import { describeOnEachBackend } from './each-backend.ts';
import { p, t } from './notation.ts';

const { special } = tg;
type Unary = (x: tg.Tensor) => tg.Tensor;
type Binary = (x: tg.Tensor, other: tg.Operand) => tg.Tensor;

// True values to 17 digits, from arithmetic with 30 and more.
const golden: readonly (readonly [name: keyof typeof special, x: number, expected: number])[] = [
  ['airyAi', -12.5, -0.27627456138116025],
  ['airyAi', -3.25, -0.4190132668052308],
  ['airyAi', 0.5, 0.23169360648083349],
  ['airyAi', 6, 9.9476943602528896e-6],
  ['besselJ0', 5.1, -0.14433474706050064],
  ['besselJ0', 12.25, 0.1009306105105151],
  ['besselJ0', 30, -0.086367983581040211],
  ['besselJ1', -5.1, 0.33709720201823181],
  ['besselJ1', 12.25, -0.20035719875585499],
  ['besselJ1', 30, -0.11875106261662294],
  ['besselY0', 0.75, -0.1371727693857724],
  ['besselY0', 5.1, -0.32160244912485942],
  ['besselY0', 30, -0.11729573168666403],
  ['besselY1', 0.75, -1.0375945507692854],
  ['besselY1', 5.1, 0.11373644197749973],
  ['besselY1', 30, 0.084425570661747235],
  ['i0', -3.5, 7.3782034322254797],
  ['i0', 25, 5774560606.4663103],
  ['i0e', -3.5, 0.22280243801077916],
  ['i0e', 800, 0.014106945005869184],
  ['i1', -3.5, -6.2058349222583655],
  ['i1', 25, 5657865129.8787014],
  ['i1e', -3.5, -0.18739997660304999],
  ['i1e', 800, 0.014098125406526997],
  ['modifiedBesselK0', 0.01, 4.7212447301610949],
  ['modifiedBesselK0', 2.5, 0.062347553200366186],
  ['modifiedBesselK0', 60, 1.4138978405591078e-27],
  ['modifiedBesselK1', 0.01, 99.973894118296246],
  ['modifiedBesselK1', 2.5, 0.073890816347747064],
  ['modifiedBesselK1', 60, 1.4256320265171043e-27],
  ['scaledModifiedBesselK0', 0.01, 4.7686940285444619],
  ['scaledModifiedBesselK0', 700, 0.047362369454613572],
  ['scaledModifiedBesselK1', 0.01, 100.97864845824005],
  ['scaledModifiedBesselK1', 700, 0.047396187653494544],
  ['erfcx', -2, 108.94090438997797],
  ['erfcx', 0.25, 0.77034654773099674],
  ['erfcx', 30, 0.018795888861416751],
  ['ndtr', -8, 6.2209605742717841e-16],
  ['ndtr', 1.5, 0.93319279873114193],
  ['logNdtr', -40, -804.60844201375379],
  ['logNdtr', -0.5, -1.1759117615936186],
  ['logNdtr', 3, -0.0013508099647481938],
  ['ndtri', 1e-60, -16.39727821271871],
  ['ndtri', 0.3, -0.52440051270804082],
  ['ndtri', 0.999, 3.0902323061678133],
  ['sphericalBesselJ0', 2.5, 0.2393888576415826],
];

describeOnEachBackend('special functions', () => {
  it.each(golden)('%s(%d) is accurate', (name, x, expected) => {
    const value = (special[name] as Unary)(t(x)).item();
    expect(Math.abs(value / expected - 1)).toBeLessThan(2e-14);
    // What float32 holds of x, a steep function makes more of.
    if (x > 1e-30 || x < 0) expect(Math.abs((special[name] as Unary)(tg.tensor(x)).item() / expected - 1)).toBeLessThan(4e-5);
  });

  it.each([
    [0.5, 0.25, 0.52049987781304654, 0.47950012218695346],
    [0.5, 3, 0.98569412156457036, 0.01430587843542964],
    [11, 4, 0.0028397661205137431, 0.99716023387948626],
    [30, 33, 0.72269862906859283, 0.27730137093140717],
    [1000, 950, 0.055054686230738034, 0.94494531376926197],
    [1000, 1100, 0.99894067674607002, 0.0010593232539299773],
    [1e5, 1.001e5, 0.6244451307044055, 0.3755548692955945],
  ])('gammainc(%d, %d) and gammaincc are accurate', (a, x, lower, upper) => {
    expect(Math.abs(special.gammainc(t(a), t(x)).item() / lower - 1)).toBeLessThan(1e-12);
    expect(Math.abs(special.gammaincc(t(a), t(x)).item() / upper - 1)).toBeLessThan(1e-12);
  });

  it('keep the digits of a tiny upper part', () => {
    // Q(2, x) = (1 + x) e^−x.
    expect(Math.abs(special.gammaincc(t(2), t(40)).item() / (41 * Math.exp(-40)) - 1)).toBeLessThan(1e-13);
  });

  it('have their limits at the edges', () => {
    const at = (f: Unary, ...xs: number[]): unknown => f(t(xs)).toArray();
    expect(at(special.besselJ0, 0, Infinity)).toEqual([1, 0]);
    expect(at(special.besselY0, 0, -1, Infinity)).toEqual([-Infinity, NaN, 0]);
    expect(at(special.modifiedBesselK1, 0, -1)).toEqual([Infinity, NaN]);
    expect(at(special.ndtri, 0, 1, 2)).toEqual([-Infinity, Infinity, NaN]);
    expect(at(special.erfcx, -30, -Infinity, Infinity)).toEqual([Infinity, Infinity, 0]);
    expect([1, 2].map((n) => at((x) => x.polygamma(n), Infinity))).toEqual([[0], [0]]);
    expect(at((x) => special.gammainc(t([0, 1, 2, -1]), x), 1, 0, Infinity, 1)).toEqual([1, 0, 1, NaN]);
    expect(at((x) => special.chebyshevPolynomialT(x, t([0, -3, 1.9])), 3, 3, 3)).toEqual([1, 0, 3]);
  });

  it('include polynomials of any degree, without as many steps where the value is known before', () => {
    const huge = 1e15;
    expect(special.chebyshevPolynomialT(t(0.5), huge).item()).toBeCloseTo(Math.cos(huge * Math.acos(0.5)), 12);
    expect(special.shiftedChebyshevPolynomialV(t(0.75), 9).item()).toBeCloseTo(Math.cos((9.5 * Math.PI) / 3) / Math.cos(Math.PI / 6), 12);
    const families = [special.chebyshevPolynomialU, special.hermitePolynomialH, special.hermitePolynomialHe, special.legendrePolynomialP];
    for (const f of families) expect(f(t([100, 100]), t([huge, Infinity])).toArray()).toEqual([NaN, NaN]);
    expect(special.legendrePolynomialP(t(NaN), huge).item()).toBeNaN();
  });

  it('include the polynomials, by their closed forms', () => {
    const x = 0.3;
    const angle = Math.acos(x);
    const values: [Binary, number][] = [
      [special.chebyshevPolynomialT, Math.cos(7 * angle)],
      [special.chebyshevPolynomialU, Math.sin(8 * angle) / Math.sin(angle)],
      [special.chebyshevPolynomialV, Math.cos(7.5 * angle) / Math.cos(angle / 2)],
      [special.chebyshevPolynomialW, Math.sin(7.5 * angle) / Math.sin(angle / 2)],
    ];
    for (const [f, expected] of values) expect(f(t(x), 7).item()).toBeCloseTo(expected, 13);
    expect(special.shiftedChebyshevPolynomialW(t((1 + x) / 2), 7).item()).toBeCloseTo(Math.sin(7.5 * angle) / Math.sin(angle / 2), 12);
    expect(special.hermitePolynomialH(t(2), 3).item()).toBe(40);
    expect(special.hermitePolynomialHe(t(2), 3).item()).toBe(2);
    expect(special.laguerrePolynomialL(t(2), 2).item()).toBeCloseTo(-1, 15);
    expect(special.legendrePolynomialP(t(0.5), 2).item()).toBeCloseTo(-0.125, 15);
  });
});

describe('derivatives of special functions', () => {
  const smooth: [name: keyof typeof special, xs: number[]][] = [
    ['airyAi', [-9, -2, 0.5, 3]],
    ['besselJ0', [-4, 0.7, 27]],
    ['besselJ1', [-4, 0.7, 27]],
    ['besselY0', [0.7, 4, 27]],
    ['besselY1', [0.7, 4, 27]],
    ['modifiedBesselK0', [0.4, 3]],
    ['modifiedBesselK1', [0.4, 3]],
    ['scaledModifiedBesselK0', [0.4, 3]],
    ['scaledModifiedBesselK1', [0.4, 3]],
    ['sphericalBesselJ0', [-4, 0.7]],
  ];
  it.each(smooth)('that PyTorch does not have: %s, to the second order', (name, xs) => {
    expect(tg.gradcheck(special[name] as Unary, [p(xs)])).toBe(true);
    expect(tg.gradgradcheck(special[name] as Unary, [p(xs)])).toBe(true);
  });

  const polynomials = Object.entries(special).filter(([name]) => name.includes('Polynomial')) as [string, Binary][];
  it.each(polynomials)('that PyTorch does not have: %s, to the second order', (_, f) => {
    const n = t([0, 1, 2, 5]);
    expect(tg.gradcheck((x: tg.Tensor) => f(x, n), [p([0.3, -0.7, 0.4, 1.2])])).toBe(true);
    expect(tg.gradgradcheck((x: tg.Tensor) => f(x, n), [p([0.3, -0.7, 0.4, 1.2])])).toBe(true);
  });

  it('of the incomplete gamma functions and zeta by the argument that has one', () => {
    expect(tg.gradcheck((x: tg.Tensor) => special.gammainc(t([0.5, 3]), x), [p([0.8, 5])])).toBe(true);
    expect(tg.gradcheck((x: tg.Tensor) => special.gammaincc(t([0.5, 3]), x), [p([0.8, 5])])).toBe(true);
    expect(tg.gradgradcheck((q: tg.Tensor) => special.zeta(t([2, 3.5]), q), [p([0.8, 5])])).toBe(true);
  });

  it('are refused for arguments that have none, where they would be recorded', () => {
    const leaf = p(2);
    expect(() => special.gammainc(leaf, t(1))).toThrow(
      new tg.GradError('gammainc: the derivative with respect to a is not defined; pass a.detach()'),
    );
    expect(() => special.zeta(leaf, t(1))).toThrow(tg.GradError);
    expect(() => special.legendrePolynomialP(t(1), leaf)).toThrow(tg.GradError);
    expect(tg.noGrad(() => special.zeta(leaf, t(1))).item()).toBeCloseTo(Math.PI ** 2 / 6, 14);
  });
});

describe('names of special functions', () => {
  it('stand for the methods of tensors', () => {
    const x = t([0.3, 0.7]);
    expect(special.gammaln(x).toArray()).toEqual(x.lgamma().toArray());
    expect(special.psi(x).toArray()).toEqual(special.digamma(x).toArray());
    expect(special.polygamma(2, x).toArray()).toEqual(x.polygamma(2).toArray());
    expect(special.multigammaln(t([3.5]), 3).toArray()).toEqual(t([3.5]).mvlgamma(3).toArray());
    expect(special.expit(x).toArray()).toEqual(x.sigmoid().toArray());
    expect([tg.i0, tg.igamma, tg.igammac]).toEqual([special.i0, special.gammainc, special.gammaincc]);
  });
});
