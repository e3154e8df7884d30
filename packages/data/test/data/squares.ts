import { rand, tensor, type Tensor } from '@tapegrad/core';

/** Squares of positions, for threads to load; one position of the argument fails, another one never ends. */
export default async function squares(argument: { length: number; bad?: number; stuck?: number; exit?: number }): Promise<unknown> {
  if (argument.length < 0) throw new RangeError('no negative lengths');
  return {
    length: argument.length,
    async get(index: number): Promise<[Tensor, number, string]> {
      if (index === argument.bad) throw new RangeError(`position ${index} is bad`);
      if (index === argument.stuck) await new Promise(() => setInterval(() => undefined, 1000));
      if (index === argument.exit) process.exit(3);
      return [tensor([index, index * index]), rand(1).item(), `#${index}`];
    },
  };
}
