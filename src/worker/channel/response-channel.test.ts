import { describe, expect, it } from 'vitest';
import type { BytePipe } from '../../protocol/netstring/byte-pipe.ts';
import { MAX_QUEUED_BYTES, ResponseChannel } from './response-channel.ts';

/** A pipe whose other end reads when the test says so. */
class SlowPipe implements BytePipe {
  queuedBytes = 0;
  text = '';

  send(bytes: Uint8Array): void {
    this.text += new TextDecoder().decode(bytes);
  }

  onBytes(): void {}

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
  return { pipes, channel };
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
});
