import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LATENCY_PROFILES } from '../../src/media/stream-settings.ts';
import { configurationSchema } from '../../src/server/config/configuration-schema.ts';
import { parseConfiguration } from '../../src/server/config/load-configuration.ts';

function readDoc(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
}

/** The text of every fenced block of this language, with the line it begins at. */
function fencedBlocks(text: string, language: string): { readonly line: number; readonly block: string }[] {
  const fences = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'));
  return [...fences].map((match) => ({ line: text.slice(0, match.index).split('\n').length, block: match[1]! }));
}

/** What is used here of a JSON schema. */
interface SettingSchema {
  readonly properties?: Readonly<Record<string, SettingSchema>>;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
}

interface Setting {
  readonly name: string;
  readonly schema: SettingSchema;
}

/** Every setting by its whole name. */
function listSettings(schema: SettingSchema, prefix: string): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    value.properties === undefined ? [{ name: prefix + key, schema: value }] : listSettings(value, `${prefix}${key}.`),
  );
}

const documentation = readDoc('configuration.md');
const settings = listSettings(z.toJSONSchema(configurationSchema, { io: 'input' }) as SettingSchema, '');

/** The cells of the table row that begins with `name`. */
function rowOf(name: string): readonly string[] | undefined {
  const line = documentation
    .split('\n')
    .find((text) => text.startsWith(`| \`${name}\` |`) && text.split('|').length === 8);
  return line
    ?.split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe.each(['configuration.md', 'getting-started.md', 'operations.md', 'rtmp.md', 'rtsp.md', 'camera-recipes.md'])(
  'docs/%s',
  (name) => {
    it('shows only YAML the server accepts', () => {
      for (const { line, block } of fencedBlocks(readDoc(name), 'yaml')) {
        expect(() => parseConfiguration(block), `the example at line ${line}`).not.toThrow();
      }
    });
  },
);

describe('docs/configuration.md', () => {
  it('finds the settings of the schema', () => {
    expect(settings.length).toBeGreaterThan(40);
    expect(settings.map(({ name }) => name)).toContain('play.queue_length');
  });

  it.each(settings)('has a row for $name with its default and range', ({ name, schema }) => {
    const row = rowOf(name);
    expect(row, `a row for ${name}`).toBeDefined();
    const [, , range, shownDefault] = row!;
    const { default: value, minimum, maximum } = schema;
    if (['string', 'number', 'boolean'].includes(typeof value)) expect(shownDefault).toBe(`\`${String(value)}\``);
    if (schema.enum !== undefined) expect(range).toBe(schema.enum.map((word) => `\`${word}\``).join(', '));
    if (minimum !== undefined) {
      const isOpen = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER;
      expect(range).toBe(isOpen ? `from ${minimum}` : `${minimum} – ${maximum}`);
    }
  });

  it('shows every setting in its example', () => {
    const [example] = fencedBlocks(documentation, 'yaml');
    for (const { name } of settings) {
      expect(example!.block, name).toMatch(new RegExp(`^ *${name.split('.').at(-1)!}:`, 'm'));
    }
  });

  it('tells what the latency knob sets', () => {
    for (const [profile, sets] of Object.entries(LATENCY_PROFILES)) {
      const { mergeReadMs, mergeWriteMs, queueLengthMs, tcpNoDelay } = sets;
      const row = `| \`${profile}\` | ${mergeReadMs} ms | ${mergeWriteMs} ms | ${queueLengthMs / 1000} s | ${tcpNoDelay} |`;
      expect(documentation).toContain(row);
    }
  });
});
