import { nodeSctpCrypto } from '../../src/io/sctp-crypto.ts';
import { parseDataChannelMessage, writeDataChannelMessage } from '../../src/protocol/sctp/data-channel-message.ts';
import { type DataChannelEvent, DataChannels } from '../../src/protocol/sctp/data-channels.ts';
import { SctpAssociation } from '../../src/protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../src/protocol/sctp/sctp-event.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'dcep';

const MAX_CHANNELS = 4;
const MAX_MESSAGE_BYTES = 2000;

/**
 * Steps, each of a byte for what to do, a byte for the stream and a length in 16 bits with as many bytes. What: a PPID of
 * 50 to 57 sends the bytes as a message to data channels; 1 resets the stream; 2 opens a channel on the other side, 3
 * closes the one of the stream there; 4 begins the association anew.
 */
export function run(bytes: Uint8Array): void {
  const scene = new Scene();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const [what, stream] = [bytes[at]!, bytes[at + 1]!];
    const sizeBytes = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const content = bytes.slice(at + 4, at + 4 + sizeBytes);
    at += 4 + sizeBytes;
    scene.step(what, stream, content);
    checkCodec(content);
  }
}

class Scene {
  #sender: SctpAssociation = newAssociation();
  readonly #channels = new DataChannels({
    association: newAssociation(),
    role: 'server',
    maxChannels: MAX_CHANNELS,
    maxReceiveMessageBytes: MAX_MESSAGE_BYTES,
  });
  readonly #open = new Set<number>();
  #nowMs = 0;

  constructor() {
    this.#deliver(this.#sender.start(0));
  }

  step(what: number, stream: number, content: Uint8Array): void {
    this.#nowMs += 100;
    const { agreement } = this.#sender;
    if (what >= 50 && what <= 57) {
      if (this.#sender.checkSend(stream, content.length) !== undefined) return;
      this.#deliver(this.#sender.sendMessage(stream, what, content, {}, this.#nowMs));
    } else if (what === 1 && agreement !== undefined && this.#sender.state === 'established') {
      this.#deliver(this.#sender.resetStreams([stream], this.#nowMs));
    } else if (what === 2 && this.#open.size < MAX_CHANNELS && this.#channels.stateOf(stream) === 'closed') {
      const { events } = this.#channels.open({ negotiatedId: stream }, this.#nowMs);
      this.#answer(events);
    } else if (what === 3) this.#answer(this.#channels.close(stream, this.#nowMs));
    else if (what === 4) {
      this.#sender = newAssociation();
      this.#deliver(this.#sender.start(this.#nowMs));
    }
    this.#nowMs += 1000;
    this.#deliver(this.#sender.handleTimeout(this.#nowMs));
    this.#answer(this.#channels.handleTimeout(this.#nowMs));
  }

  #deliver(events: readonly SctpEvent[]): void {
    for (const event of events) {
      if (event.type === 'send') this.#answer(this.#channels.receive(event.bytes, this.#nowMs));
    }
  }

  #answer(events: readonly DataChannelEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case 'send':
          this.#deliver(this.#sender.receive(event.bytes, this.#nowMs));
          break;
        case 'channel-open':
          if (this.#open.has(event.channel.id)) throw new RangeError(`channel ${event.channel.id} opened twice`);
          this.#open.add(event.channel.id);
          if (this.#open.size > MAX_CHANNELS) throw new RangeError('too many channels');
          break;
        case 'channel-closed':
          this.#open.delete(event.channelId);
          break;
        case 'channel-message':
          if (!this.#open.has(event.channelId)) throw new RangeError('a message of a channel that is not open');
          break;
        default:
          break;
      }
    }
  }
}

function newAssociation(): SctpAssociation {
  return new SctpAssociation({ crypto: nodeSctpCrypto, maxReceiveMessageBytes: 5000 });
}

function checkCodec(content: Uint8Array): void {
  const message = parseDataChannelMessage(content);
  if (message === undefined) return;
  const written = writeDataChannelMessage(message);
  const again = parseDataChannelMessage(written);
  if (again === undefined) throw new RangeError('a message of DCEP is not read again');
  expectSameBytes(writeDataChannelMessage(again), written, 'messages of DCEP');
}
