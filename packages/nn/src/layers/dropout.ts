import { ValueError, type Tensor } from '@tapegrad/core';
import {
  alphaDropout,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
} from '../functional/dropout.ts';
import { Module } from '../module.ts';
import { valueOf, type Named } from '../named.ts';
import { options } from '../repr.ts';

/** What the dropout layers share: a probability. */
export abstract class DropoutBase extends Module {
  readonly p: number;

  constructor(given: Named<'p', number> = 0.5) {
    super();
    const p = valueOf(this.constructor.name, 'p', given) ?? 0.5;
    if (!(p >= 0 && p <= 1)) {
      throw new ValueError(`${this.constructor.name}: the probability must be between 0 and 1, got ${p}`, {
        argument: 'p',
      });
    }
    this.p = p;
  }

  override get dependsOnMode(): boolean {
    return this.p > 0;
  }

  override extraRepr(): string {
    return options({ p: this.p });
  }
}

/**
 * In training, sets each element to 0 with probability p (default 0.5) and scales the others by 1/(1 − p);
 * otherwise the identity.
 * @throws ValueError when p is not in [0, 1]
 * @source torch.nn.Dropout
 */
export class Dropout extends DropoutBase {
  forward(x: Tensor): Tensor {
    return dropout(x, this.p, this.training);
  }
}

/**
 * As Dropout, for whole channels of sequences.
 * @shape [N, C, L] or [C, L] -> the same
 * @source torch.nn.Dropout1d
 */
export class Dropout1d extends DropoutBase {
  forward(x: Tensor): Tensor {
    return dropout1d(x, this.p, this.training);
  }
}

/** As Dropout, for whole channels of images. @shape [N, C, H, W] -> the same @source torch.nn.Dropout2d */
export class Dropout2d extends DropoutBase {
  forward(x: Tensor): Tensor {
    return dropout2d(x, this.p, this.training);
  }
}

/**
 * As Dropout, for whole channels of volumes.
 * @shape [N, C, D, H, W] or [C, D, H, W] -> the same
 * @source torch.nn.Dropout3d
 */
export class Dropout3d extends DropoutBase {
  forward(x: Tensor): Tensor {
    return dropout3d(x, this.p, this.training);
  }
}

/** Dropout that keeps mean and variance behind SELU. @source torch.nn.AlphaDropout (Klambauer et al. 2017) */
export class AlphaDropout extends DropoutBase {
  forward(x: Tensor): Tensor {
    return alphaDropout(x, this.p, this.training);
  }
}

/** As AlphaDropout, for whole channels. @source torch.nn.FeatureAlphaDropout */
export class FeatureAlphaDropout extends DropoutBase {
  forward(x: Tensor): Tensor {
    return featureAlphaDropout(x, this.p, this.training);
  }
}
