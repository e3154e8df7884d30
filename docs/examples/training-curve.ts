import { learningCurveSvg } from './learning-curve.ts';
import type { History } from './training.ts';

/**
 * The learning curve of a run as an SVG picture: loss and accuracy, batch by batch in training and epoch by epoch on
 * the test images.
 *
 * @param history the numbers of the run
 * @param batches batches per epoch
 * @param subtitle the line below the title
 */
export function trainingCurve(history: History, batches: number, subtitle: string): string {
  const { trainLoss, trainAccuracy, testLoss, testAccuracy } = history;
  const during = trainLoss.map((_, i) => (i + 1) / batches);
  const after = testLoss.map((_, i) => i + 1);
  return learningCurveSvg({
    title: 'Learning to read digits (MNIST)',
    subtitle,
    panels: [
      {
        title: 'Loss',
        xLabel: 'epoch',
        series: [
          { name: 'training', x: during, y: trainLoss },
          { name: 'test', x: after, y: testLoss },
        ],
      },
      {
        title: 'Accuracy',
        xLabel: 'epoch',
        format: 'percent',
        series: [
          { name: 'training', x: during, y: trainAccuracy },
          { name: 'test', x: after, y: testAccuracy },
        ],
      },
    ],
  });
}
