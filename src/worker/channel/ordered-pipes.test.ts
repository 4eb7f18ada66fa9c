import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BytePipe } from '../../protocol/netstring/byte-pipe.ts';
import { OrderedPipes } from './ordered-pipes.ts';

/** A pipe whose bytes arrive when the test says so. */
class StoppedPipe implements BytePipe {
  readonly queuedBytes = 0;
  readonly sent: Uint8Array[] = [];
  #receive: (bytes: Uint8Array) => void = () => undefined;

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
  }

  onBytes(receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
  }

  onEnd(): void {}

  close(): void {}

  /** Everything one pipe was given arrives at this one. */
  take(from: StoppedPipe): void {
    for (const bytes of from.sent.splice(0)) this.#receive(bytes);
  }
}

function setUp() {
  const seen: string[] = [];
  const make = () => ({ messages: new StoppedPipe(), payloads: new StoppedPipe() });
  const [near, far] = [make(), make()];
  const nobody = { message: () => undefined, log: () => undefined, problem: () => undefined };
  const sender = new OrderedPipes(near, nobody);
  new OrderedPipes(far, {
    message: ({ name }, payload) => seen.push(`${String(name)}${payload === undefined ? '' : '+'}`),
    log: (letter, text) => seen.push(letter + text),
    problem: (text) => seen.push(text),
  });
  return { near, far, sender, seen };
}

describe('pipes in order', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it.each(['messages first', 'payloads first'])('pass on what was sent, as it was sent: %s', (order) => {
    const { near, far, sender, seen } = setUp();
    const payload = Uint8Array.of(1);
    sender.send({ name: 'a' });
    sender.send({ name: 'b' }, payload);
    sender.send({ name: 'c' }, payload);
    sender.send({ name: 'd' });
    sender.send({ name: 'e' }, payload);
    sender.send({ name: 'f' });
    sender.send({ name: 'g' });
    const take = [() => far.messages.take(near.messages), () => far.payloads.take(near.payloads)];
    for (const one of order === 'messages first' ? take : take.reverse()) one();
    expect(seen).toEqual(['a', 'b+', 'c+', 'd', 'e+', 'f', 'g']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('say nothing of an order while one pipe is used', () => {
    const { near, sender } = setUp();
    for (const name of ['a', 'b']) sender.send({ name });
    expect(near.messages.sent.map((bytes) => new TextDecoder().decode(bytes)).join()).not.toContain('after');
  });

  it('wait half a second for what is lost', () => {
    const { near, far, sender, seen } = setUp();
    sender.send({ name: 'lost' }, Uint8Array.of(1));
    sender.send({ name: 'a' });
    near.payloads.sent.length = 0;
    far.messages.take(near.messages);
    vi.advanceTimersByTime(499);
    expect(seen).toEqual([]);
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(1);
    expect(seen).toEqual(['1 messages are missing on the other pipe', 'a']);
    sender.send({ name: 'b' }, Uint8Array.of(1));
    sender.send({ name: 'c' });
    far.messages.take(near.messages);
    far.payloads.take(near.payloads);
    expect(seen.slice(2)).toEqual(['b+', 'c']);
  });

  it('read what has come before they give up: this process may have been busy', () => {
    const { near, far, sender, seen } = setUp();
    sender.send({ name: 'late' }, Uint8Array.of(1));
    sender.send({ name: 'a' });
    far.messages.take(near.messages);
    vi.advanceTimersByTime(500);
    far.payloads.take(near.payloads);
    vi.advanceTimersByTime(1);
    expect(seen).toEqual(['late+', 'a']);
  });

  it('hold no more than they can', () => {
    const { near, far, sender, seen } = setUp();
    sender.send({ name: 'lost' }, Uint8Array.of(1));
    near.payloads.sent.length = 0;
    for (let i = 0; i <= 10_000; i++) sender.send({ name: 'x' });
    far.messages.take(near.messages);
    expect(seen.length).toBe(10_002);
  });
});
