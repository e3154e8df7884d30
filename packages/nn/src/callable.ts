/**
 * Base of Module: its instances are functions with the class as prototype, so that `model(x)` works, fields
 * are plain properties and nothing stands between a call and `forward`.
 */
export abstract class Callable {
  constructor() {
    const self: Callable = Object.setPrototypeOf(
      (...args: unknown[]) => self.invoke(args),
      new.target.prototype,
    );
    return self;
  }

  /** What calling the instance does. @internal */
  abstract invoke(args: unknown[]): unknown;
}
