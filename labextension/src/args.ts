/**
 * The arguments of commands, which anybody may call with anything.
 */

/** A text, or undefined for all else. */
export function textArg(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
