import { expect, it, jest } from '@jest/globals';
import { tensor } from '@tapegrad/core';
import { functional as F } from '../src/index.ts';

it('points out probabilities where scores belong, in the first calls only', () => {
  const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
  const scores = tensor([[2, -1, 0.5], [0, 3, 1]]);
  const labels = tensor([0, 1], { dtype: 'int32' });
  F.crossEntropy(scores, labels);
  expect(warn).not.toHaveBeenCalled();
  F.crossEntropy(scores.softmax(1), labels);
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]![0]).toMatch(/crossEntropy: the scores are probabilities.*\n.*loss-habits\.test\.ts:\d+/);
  F.crossEntropy(scores.softmax(1), labels);
  expect(warn).toHaveBeenCalledTimes(1);
  warn.mockRestore();
});
