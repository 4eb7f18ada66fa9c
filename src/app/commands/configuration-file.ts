import { readFile } from 'node:fs/promises';
import type { Configuration } from '../../server/config/configuration.ts';
import { parseConfiguration } from '../../server/config/load-configuration.ts';
import { ConfigError, ResourceError } from '../../wire/errors.ts';

/**
 * Reads a configuration file.
 * @throws ResourceError when it can't be read; ConfigError whose message begins with `file:line:column`
 */
export async function readConfigurationFile(path: string): Promise<Configuration> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new ResourceError('config/unreadable-file', `can't read ${path}: ${(cause as Error).message}`, { cause });
  }
  try {
    return parseConfiguration(text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const at = error.line === undefined ? path : `${path}:${error.line}:${error.column}`;
    throw new ConfigError(error.code, `${at}: ${error.message}`, {
      path: error.path,
      ...(error.line === undefined ? {} : { line: error.line }),
      ...(error.column === undefined ? {} : { column: error.column }),
      cause: error,
    });
  }
}
