// REINFORCE (Williams 1992): a network learns to balance a pole on a cart, by doing more often what went well.
import * as tg from 'tapegrad';
import { CartPole, LONGEST } from './cart-pole.ts';
import type { Example } from './stage.ts';

const { nn, optim } = tg;

/** What a reward one step later is worth. */
const DISCOUNT = 0.99;
/** Attempts between two steps of learning. */
const ATTEMPTS = 8;

/** One attempt: what was seen, what was done, and how well it went from each step on. */
interface Attempt {
  readonly states: number[][];
  readonly actions: number[];
  readonly returns: number[];
}

function attempt(policy: tg.nn.Module, pole: CartPole): Attempt {
  const [states, actions]: [number[][], number[]] = [[], []];
  pole.reset();
  for (let upright = true; upright; ) {
    const state = pole.state;
    const likely = tg.noGrad(() => (policy(tg.tensor([state])) as tg.Tensor).softmax(1));
    const action = tg.multinomial(likely, 1).item();
    states.push(state);
    actions.push(action);
    upright = pole.push(action === 1);
  }
  // Every step brings a reward of 1; the return is what comes from there on.
  const returns = actions.map((_, i) => (1 - DISCOUNT ** (actions.length - i)) / (1 - DISCOUNT));
  return { states, actions, returns };
}

export const cartpole: Example = async (stage) => {
  tg.manualSeed(0);
  const policy = new nn.Sequential(new nn.Linear(4, 64), new nn.Tanh(), new nn.Linear(64, 2));
  const optimizer = new optim.Adam(policy.parameters(), { lr: 0.01 });
  const pole = new CartPole();
  const updates = stage.quick ? 15 : 80;
  const lengths: number[] = [];

  const progress = stage.progress('balancing', updates * ATTEMPTS, 'attempts');
  for (let update = 1; update <= updates; update++) {
    const attempts = Array.from({ length: ATTEMPTS }, () => attempt(policy, pole));
    const states = tg.tensor(attempts.flatMap((each) => each.states));
    const actions = tg.tensor(attempts.flatMap((each) => each.actions), { dtype: 'int32' });
    const returns = tg.tensor(attempts.flatMap((each) => each.returns));
    const advantage = returns.sub(returns.mean()).div(returns.std().add(1e-8));

    const chosen = policy(states).logSoftmax(1).gather(1, actions.unsqueeze(1)).squeeze(1);
    const loss = chosen.mul(advantage).mean().neg();
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();

    lengths.push(...attempts.map((each) => each.actions.length));
    progress.update(lengths.length);
  }
  progress.finish();

  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [first, last] = [mean(lengths.slice(0, ATTEMPTS)), mean(lengths.slice(-5 * ATTEMPTS))];
  stage.say(`steps upright: ${first.toFixed(0)} at first, ${last.toFixed(0)} of ${LONGEST} in the last ${5 * ATTEMPTS} attempts`);
  return { first, last };
};
