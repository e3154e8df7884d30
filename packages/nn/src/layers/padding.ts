import { pad, ValueError, type PadOptions, type Tensor } from '@tapegrad/core';
import { Module } from '../module.ts';
import { options } from '../repr.ts';

/** Elements added on every side, or before and after each dimension, beginning with the last. */
export type Padding = number | readonly number[];

/** What the padding layers share: margins of so many dimensions, and how they are filled. */
abstract class PadLayer extends Module {
  readonly padding: readonly number[];

  constructor(padding: Padding, rank: number) {
    super();
    const margins = typeof padding === 'number' ? new Array<number>(2 * rank).fill(padding) : [...padding];
    if (margins.length !== 2 * rank || margins.some((n) => !Number.isInteger(n))) {
      throw new ValueError(
        `${this.constructor.name}: the padding must be a whole number, or ${2 * rank} of them, got [${margins.join(', ')}]`,
        { argument: 'padding' },
      );
    }
    this.padding = margins;
  }

  /** How the margins are filled. */
  protected abstract readonly filling: PadOptions;

  forward(x: Tensor): Tensor {
    return pad(x, this.padding, this.filling);
  }

  override extraRepr(): string {
    return `[${this.padding.join(', ')}]`;
  }
}

/** Pads with one value. */
abstract class ConstantPad extends PadLayer {
  readonly value: number;

  constructor(padding: Padding, value: number, rank: number) {
    super(padding, rank);
    this.value = value;
  }

  protected override get filling(): PadOptions {
    return { value: this.value };
  }

  override extraRepr(): string {
    return options({ padding: this.padding, value: this.value });
  }
}

/** Pads sequences with a value. @shape [N, C, L] or [C, L] -> [..., L'] @source torch.nn.ConstantPad1d */
export class ConstantPad1d extends ConstantPad {
  constructor(padding: Padding, value: number) {
    super(padding, value, 1);
  }
}

/**
 * Pads images with a value.
 * @shape [N, C, H, W] or [C, H, W] -> [..., H', W']
 * @source torch.nn.ConstantPad2d
 */
export class ConstantPad2d extends ConstantPad {
  constructor(padding: Padding, value: number) {
    super(padding, value, 2);
  }
}

/**
 * Pads volumes with a value.
 * @shape [N, C, D, H, W] or [C, D, H, W] -> [..., D', H', W']
 * @source torch.nn.ConstantPad3d
 */
export class ConstantPad3d extends ConstantPad {
  constructor(padding: Padding, value: number) {
    super(padding, value, 3);
  }
}

/** Pads sequences with zeros. @shape [N, C, L] or [C, L] -> [..., L'] @source torch.nn.ZeroPad1d */
export class ZeroPad1d extends ConstantPad {
  constructor(padding: Padding) {
    super(padding, 0, 1);
  }
}

/** Pads images with zeros. @shape [N, C, H, W] or [C, H, W] -> [..., H', W'] @source torch.nn.ZeroPad2d */
export class ZeroPad2d extends ConstantPad {
  constructor(padding: Padding) {
    super(padding, 0, 2);
  }
}

/**
 * Pads volumes with zeros.
 * @shape [N, C, D, H, W] or [C, D, H, W] -> [..., D', H', W']
 * @source torch.nn.ZeroPad3d
 */
export class ZeroPad3d extends ConstantPad {
  constructor(padding: Padding) {
    super(padding, 0, 3);
  }
}

const filledBy = (mode: 'reflect' | 'replicate' | 'circular'): PadOptions => ({ mode });

/**
 * Pads sequences by mirroring them.
 * @shape [N, C, L] or [C, L] -> [..., L']
 * @source torch.nn.ReflectionPad1d
 */
export class ReflectionPad1d extends PadLayer {
  protected override readonly filling: PadOptions = filledBy('reflect');

  constructor(padding: Padding) {
    super(padding, 1);
  }
}

/**
 * Pads images by mirroring them.
 * @shape [N, C, H, W] or [C, H, W] -> [..., H', W']
 * @source torch.nn.ReflectionPad2d
 */
export class ReflectionPad2d extends PadLayer {
  protected override readonly filling: PadOptions = filledBy('reflect');

  constructor(padding: Padding) {
    super(padding, 2);
  }
}

/**
 * Pads volumes by mirroring them.
 * @shape [N, C, D, H, W] or [C, D, H, W] -> [..., D', H', W']
 * @source torch.nn.ReflectionPad3d
 */
export class ReflectionPad3d extends PadLayer {
  protected override readonly filling: PadOptions = filledBy('reflect');

  constructor(padding: Padding) {
    super(padding, 3);
  }
}

/**
 * Pads sequences by repeating their ends.
 * @shape [N, C, L] or [C, L] -> [..., L']
 * @source torch.nn.ReplicationPad1d
 */
export class ReplicationPad1d extends PadLayer {
  protected override readonly filling: PadOptions = filledBy('replicate');

  constructor(padding: Padding) {
    super(padding, 1);
  }
}

/**
 * Pads images by repeating their edges.
 * @shape [N, C, H, W] or [C, H, W] -> [..., H', W']
 * @source torch.nn.ReplicationPad2d
 */
export class ReplicationPad2d extends PadLayer {
  protected override readonly filling: PadOptions = filledBy('replicate');

  constructor(padding: Padding) {
    super(padding, 2);
  }
}

/**
 * Pads volumes by repeating their faces.
 * @shape [N, C, D, H, W] or [C, D, H, W] -> [..., D', H', W']
 * @source torch.nn.ReplicationPad3d
 */
export class ReplicationPad3d extends PadLayer {
  protected override readonly filling: PadOptions = filledBy('replicate');

  constructor(padding: Padding) {
    super(padding, 3);
  }
}

/**
 * Pads sequences from their other ends.
 * @shape [N, C, L] or [C, L] -> [..., L']
 * @source torch.nn.CircularPad1d
 */
export class CircularPad1d extends PadLayer {
  protected override readonly filling: PadOptions = filledBy('circular');

  constructor(padding: Padding) {
    super(padding, 1);
  }
}

/**
 * Pads images from their other edges.
 * @shape [N, C, H, W] or [C, H, W] -> [..., H', W']
 * @source torch.nn.CircularPad2d
 */
export class CircularPad2d extends PadLayer {
  protected override readonly filling: PadOptions = filledBy('circular');

  constructor(padding: Padding) {
    super(padding, 2);
  }
}

/**
 * Pads volumes from their other faces.
 * @shape [N, C, D, H, W] or [C, D, H, W] -> [..., D', H', W']
 * @source torch.nn.CircularPad3d
 */
export class CircularPad3d extends PadLayer {
  protected override readonly filling: PadOptions = filledBy('circular');

  constructor(padding: Padding) {
    super(padding, 3);
  }
}
