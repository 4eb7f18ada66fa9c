import { type ParseArgsConfig, parseArgs } from 'node:util';
import { MillraceError } from '../../wire/errors.ts';

/** The command line makes no sense; the message says why. */
export class UsageError extends MillraceError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('cli/usage', message, options);
  }
}

/**
 * `util.parseArgs` with positionals allowed and its complaints turned into a `UsageError`.
 * @throws UsageError
 */
export function parseCommandLine<T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (cause) {
    // parseArgs only throws for what the user wrote; behind the first sentence come hints that do not help here.
    const [complaint] = (cause as Error).message.split(/[.\n]/, 1);
    throw new UsageError(`${complaint}; "--help" lists the options`, { cause });
  }
}
