import { describe, expect, it } from 'vitest';
import type { BytePipe } from '../../protocol/netstring/byte-pipe.ts';
import { writeNetstring } from '../../protocol/netstring/netstring-writer.ts';
import { MAX_QUEUED_BYTES, MAX_QUEUED_STATE_BYTES, ResponseChannel } from './response-channel.ts';

/** A pipe whose other end reads when the test says so. */
class SlowPipe implements BytePipe {
  queuedBytes = 0;
  text = '';

  send(bytes: Uint8Array): void {
    this.text += new TextDecoder().decode(bytes);
  }

  /** Comes from the other end. */
  take: (bytes: Uint8Array) => void = () => undefined;

  onBytes(receive: (bytes: Uint8Array) => void): void {
    this.take = receive;
  }

  onEnd(): void {}

  close(): void {}
}

function setUp() {
  const pipes = { messages: new SlowPipe(), payloads: new SlowPipe() };
  const channel = new ResponseChannel({
    pipes,
    onRequest: () => undefined,
    onCommand: () => undefined,
    onEnd: () => undefined,
  });
  const request = (message: object): void => {
    pipes.messages.take(writeNetstring(new TextEncoder().encode(JSON.stringify(message))));
  };
  return { pipes, channel, request };
}

describe('a worker whose control side does not read', () => {
  it.each(['messages', 'payloads'] as const)('drops packets, traces and log lines while %s wait', (name) => {
    const { pipes, channel } = setUp();
    pipes[name].queuedBytes = MAX_QUEUED_BYTES;
    channel.notify('c', 'rtp', undefined, Uint8Array.of(120));
    expect(pipes.payloads.text).toContain('rtp');
    pipes[name].queuedBytes++;
    pipes.payloads.text = '';
    channel.notify('c', 'rtp', undefined, Uint8Array.of(120));
    channel.notify('t', 'trace', {});
    channel.log('D', 'line');
    expect(pipes.payloads.text + pipes.messages.text).toBe('');
  });

  it('tells of states all the same, and what was dropped when it reads again', () => {
    const { pipes, channel } = setUp();
    pipes.payloads.queuedBytes = MAX_QUEUED_BYTES + 1;
    channel.notify('c', 'rtp', undefined, Uint8Array.of(120));
    channel.notify('c', 'rtp', undefined, Uint8Array.of(120));
    channel.notify('c', 'producerclose');
    expect(pipes.messages.text).toContain('producerclose');
    expect(pipes.messages.text).not.toContain('dropped');
    pipes.payloads.queuedBytes = 0;
    channel.notify('c', 'rtp', undefined, Uint8Array.of(120));
    channel.notify('c', 'rtp', undefined, Uint8Array.of(120));
    expect(pipes.messages.text.match(/2 notifications and log lines were dropped/g)).toHaveLength(1);
    expect(pipes.payloads.text.match(/rtp/g)).toHaveLength(2);
  });

  it('tells of no states either, where far too much waits, but answers', () => {
    const { pipes, channel, request } = setUp();
    pipes.messages.queuedBytes = MAX_QUEUED_STATE_BYTES;
    channel.notify('c', 'score', 1);
    expect(pipes.messages.text).toContain('score');
    pipes.messages.queuedBytes++;
    pipes.messages.text = '';
    channel.notify('c', 'score', 2);
    expect(pipes.messages.text).toBe('');
    request({ id: 7, method: 'worker.dump' });
    expect(pipes.messages.text).toContain('"id":7,"accepted":true');
    pipes.messages.queuedBytes = 0;
    channel.log('D', 'line');
    expect(pipes.messages.text).toContain('1 notifications and log lines were dropped');
  });
});
