import { EXIT } from '../exit-code.ts';
import { parseCommandLine, UsageError } from './command-line.ts';
import { readConfigurationFile } from './configuration-file.ts';

const HELP = `millrace check <config.yml>

Reads a configuration and says whether it is right, without starting anything.
`;

/** `millrace check`. */
export async function check(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, { help: { type: 'boolean', short: 'h' } });
  if (values.help === true) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const [path, ...extra] = positionals;
  if (path === undefined || extra.length > 0) throw new UsageError('check takes one configuration file');
  await readConfigurationFile(path);
  process.stdout.write(`${path} is right\n`);
  return EXIT.ok;
}
