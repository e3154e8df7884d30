import { TapegradError } from '@tapegrad/core';
import type { Module } from './module.ts';

interface Origin {
  /** The innermost module that was running. */
  readonly module: Module;
  /** The message without the name of an operation that is the module's own. */
  readonly text: string;
}

const origins = new WeakMap<TapegradError, Origin>();

/**
 * Puts the path of the module at fault in front of an error's message: `encoder.fc1 (Linear 400 → 120): input
 * is …`. Every module that the error passes through calls this, so that the path grows from the inside to the
 * outermost one.
 */
export function nameModule(error: unknown, module: Module): void {
  if (!(error instanceof TapegradError)) return;
  let origin = origins.get(error);
  if (origin === undefined) {
    origin = { module, text: withoutOwnName(error, module) };
    origins.set(error, origin);
  }
  const path = module.namedModules().find(([, inner]) => inner === origin.module)?.[0];
  if (path === undefined) return;
  const label = origin.module.label();
  const message = `${path === '' ? label : `${path} (${label})`}: ${origin.text}`;
  if (error.stack !== undefined) error.stack = error.stack.replace(error.message, () => message);
  error.message = message;
}

/** A Linear that says "linear:" too would stutter. */
function withoutOwnName({ message, details: { op } }: TapegradError, module: Module): string {
  const own = op !== undefined && module.constructor.name.toLowerCase().startsWith(op.toLowerCase());
  return own && message.startsWith(`${op}: `) ? message.slice(op.length + 2) : message;
}
