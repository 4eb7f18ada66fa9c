/** Requests that are right but for one thing. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { corpusFolder } from '../../fuzz/bounded-run.ts';
import type { Random } from '../../fuzz/mutator.ts';

/** One message to a worker, with the bytes that go along. */
export interface ScriptMessage {
  readonly message: Record<string, unknown>;
  readonly payload: Uint8Array | undefined;
}

const NEWLINE = 0x0a;
const TAB = 0x09;

/** What no field is ready for. */
const STRANGE: readonly (() => unknown)[] = [
  () => null,
  () => undefined,
  () => true,
  () => 0,
  () => -1,
  () => 1.5,
  () => 65_536,
  () => 0x1_0000_0000,
  () => 1e308,
  () => '',
  () => 'chicken',
  () => '__proto__',
  () => 'x'.repeat(100_000),
  () => [],
  () => [null],
  () => [[[[[]]]]],
  () => ({}),
  () => ({ toString: 1, length: 7 }),
  () => Array.from({ length: 2000 }, (_, i) => i),
  () => nested(3000),
];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

/** The scripts of the fuzz corpus that are right: those every request of which is answered with what it asks for. */
export function readScripts(): ReadonlyMap<string, readonly ScriptMessage[]> {
  const folder = corpusFolder('worker-request');
  const names = readdirSync(folder).filter((name) => !/^(unknown|wrong|deep|late|held|worker-close|crash)/.test(name));
  return new Map(names.map((name) => [name, scriptOf(new Uint8Array(readFileSync(join(folder, name))))]));
}

function scriptOf(bytes: Uint8Array): ScriptMessage[] {
  const messages: ScriptMessage[] = [];
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const line = bytes.subarray(at, newline < 0 ? bytes.length : newline);
    at += line.length + 1;
    const tab = line.indexOf(TAB);
    const head = tab < 0 ? line : line.subarray(0, tab);
    messages.push({
      message: JSON.parse(new TextDecoder().decode(head)) as Record<string, unknown>,
      payload: tab < 0 ? undefined : line.slice(tab + 1),
    });
  }
  return messages;
}

/** A copy with one of its fields, at any depth but not the id, replaced, left out, or with a field too many. */
export function broken(message: Record<string, unknown>, random: Random): Record<string, unknown> {
  const copy = structuredClone(message);
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const walk = (holder: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries(holder)) {
      if (holder === copy && (key === 'id' || key === 'method' || key === 'event')) continue;
      places.push({ holder, key });
      if (typeof value === 'object' && value !== null) walk(value as Record<string, unknown>);
    }
  };
  walk(copy);
  if (places.length === 0) return copy;
  const { holder, key } = random.pick(places);
  const value = random.pick(STRANGE)();
  if (value === undefined) delete holder[key];
  else holder[key] = value;
  return copy;
}
