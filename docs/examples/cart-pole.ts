import { rand } from 'tapegrad';

/** Steps after which an attempt ends well. */
export const LONGEST = 500;

const GRAVITY = 9.8;
const CART_MASS = 1;
const POLE_MASS = 0.1;
/** From the hinge to the middle of the pole, in metres. */
const HALF_LENGTH = 0.5;
/** Newtons. */
const FORCE = 10;
/** Seconds from one push to the next. */
const INTERVAL = 0.02;
const LARGEST_PLACE = 2.4;
const LARGEST_ANGLE = (12 * Math.PI) / 180;

type State = [place: number, speed: number, angle: number, turning: number];

/**
 * A cart on a track, and a pole on it that wants to fall (Barto, Sutton and Anderson 1983); the numbers are those of
 * OpenAI Gym's CartPole-v1.
 */
export class CartPole {
  #state: State = [0, 0, 0, 0];
  #steps = 0;

  /** Place and speed of the cart, angle and angular speed of the pole. */
  get state(): number[] {
    return [...this.#state];
  }

  /** Begins anew, nearly upright and nearly at rest. */
  reset(): void {
    this.#state = rand([4]).mul(0.1).sub(0.05).toArray() as State;
    this.#steps = 0;
  }

  /** Pushes the cart to the right or the left. @returns whether the attempt goes on */
  push(right: boolean): boolean {
    const [place, speed, angle, turning] = this.#state;
    const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
    const mass = CART_MASS + POLE_MASS;
    const pressed = ((right ? FORCE : -FORCE) + POLE_MASS * HALF_LENGTH * turning ** 2 * sin) / mass;
    const turn = (GRAVITY * sin - cos * pressed) / (HALF_LENGTH * (4 / 3 - (POLE_MASS * cos ** 2) / mass));
    const push = pressed - (POLE_MASS * HALF_LENGTH * turn * cos) / mass;
    this.#state = [place + INTERVAL * speed, speed + INTERVAL * push, angle + INTERVAL * turning, turning + INTERVAL * turn];
    this.#steps++;
    const [newPlace, , newAngle] = this.#state;
    return Math.abs(newPlace) <= LARGEST_PLACE && Math.abs(newAngle) <= LARGEST_ANGLE && this.#steps < LONGEST;
  }
}
