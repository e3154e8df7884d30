import { describe, expect, it } from '@jest/globals';
import { manualSeed } from 'tapegrad';
import { CartPole, LONGEST } from '../examples/cart-pole.ts';

/** Steps until the end when somebody says where to push. */
function balance(pole: CartPole, right: (state: number[]) => boolean): number {
  let steps = 1;
  for (pole.reset(); pole.push(right(pole.state)); ) steps++;
  return steps;
}

describe('a pole on a cart', () => {
  it('falls soon when it is always pushed the same way', () => {
    manualSeed(0);
    const pole = new CartPole();
    for (const right of [true, false]) {
      const steps = balance(pole, () => right);
      expect(steps).toBeGreaterThanOrEqual(8);
      expect(steps).toBeLessThanOrEqual(11);
    }
  });

  it('stays up, and the cart on its track, when somebody takes care of both', () => {
    manualSeed(0);
    expect(balance(new CartPole(), ([place, speed, angle, turning]) => place! + 2 * speed! + 20 * angle! + 4 * turning! > 0)).toBe(LONGEST);
  });

  it('moves by the equations of motion', () => {
    const pole = new CartPole();
    manualSeed(1);
    pole.reset();
    const [place, speed, angle, turning] = pole.state as [number, number, number, number];
    pole.push(true);
    const [newPlace, newSpeed, newAngle, newTurning] = pole.state as [number, number, number, number];
    expect(newPlace).toBeCloseTo(place + 0.02 * speed, 12);
    expect(newAngle).toBeCloseTo(angle + 0.02 * turning, 12);
    // The two equations of motion (Florian 2007, without friction), with what happened put in.
    const [push, turn] = [(newSpeed - speed) / 0.02, (newTurning - turning) / 0.02];
    const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
    expect(1.1 * push + 0.05 * (turn * cos - turning ** 2 * sin)).toBeCloseTo(10, 9);
    expect((4 / 3) * 0.5 * turn + push * cos).toBeCloseTo(9.8 * sin, 9);
  });
});
