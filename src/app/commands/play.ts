import { ResourceError } from '../../wire/errors.ts';
import { EXIT } from '../exit-code.ts';
import { parseCommandLine, UsageError } from './command-line.ts';

/** `millrace play`. */
export async function play(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, { help: { type: 'boolean', short: 'h' } });
  if (values.help === true) {
    process.stdout.write('millrace play is not part of this build\n');
    return EXIT.ok;
  }
  if (positionals.length === 0) throw new UsageError('play takes an address; "millrace --help" shows how');
  throw new ResourceError('cli/not-built', 'this build has no play command');
}
