import { isMap, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { ConfigError } from '../../wire/errors.ts';
import type { Configuration, ConfigurationInput } from './configuration.ts';
import { configurationSchema } from './configuration-schema.ts';

/** Codes of the `ConfigError`s made here. */
export type ConfigErrorCode = 'config/syntax' | 'config/invalid' | 'config/unknown-setting';

/**
 * Reads a configuration written in YAML. An empty text gives the defaults.
 * @throws ConfigError naming the setting, and its line and column in `text`
 */
export function parseConfiguration(text: string): Configuration {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const syntaxError = document.errors[0];
  if (syntaxError !== undefined) {
    const { line, col } = lineCounter.linePos(syntaxError.pos[0]);
    throw new ConfigError('config/syntax' satisfies ConfigErrorCode, syntaxError.message, {
      path: '',
      line,
      column: col,
      cause: syntaxError,
    });
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  const result = configurationSchema.safeParse(value ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw issueError(issue, (path) => {
    const position = nodeAt(document.contents, path)?.range?.[0];
    return position === undefined ? undefined : lineCounter.linePos(position);
  });
}

/**
 * Checks a configuration given as an object (embedding).
 * @throws ConfigError naming the setting
 */
export function checkConfiguration(input: ConfigurationInput): Configuration {
  const result = configurationSchema.safeParse(input);
  if (result.success) return result.data;
  throw issueError(result.error.issues[0]!, () => undefined);
}

type Locate = (path: readonly PropertyKey[]) => { readonly line: number; readonly col: number } | undefined;

function issueError(issue: z.core.$ZodIssue, locate: Locate): ConfigError {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = unknown === undefined ? issue.path : [...issue.path, unknown];
  const name = path.map(String).join('.');
  const at = locate(path);
  const message =
    unknown === undefined
      ? `${name === '' ? 'the configuration' : name}: ${issue.message}`
      : `unknown setting "${name}"`;
  const code: ConfigErrorCode = unknown === undefined ? 'config/invalid' : 'config/unknown-setting';
  return new ConfigError(code, message, { path: name, ...(at === undefined ? {} : { line: at.line, column: at.col }) });
}

/** The YAML node a path leads to: the key itself for a map entry, so that the error points at the name. */
function nodeAt(root: unknown, path: readonly PropertyKey[]): Node | undefined {
  let node = root;
  let found: Node | undefined;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => String((item.key as { value?: unknown }).value) === String(step));
      if (pair === undefined) break;
      found = pair.key as Node;
      node = pair.value;
    } else if (node !== null && typeof node === 'object' && 'items' in node && typeof step === 'number') {
      const item = (node.items as unknown[])[step];
      if (item === undefined) break;
      found = item as Node;
      node = item;
    } else break;
  }
  return found;
}
