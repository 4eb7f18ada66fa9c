/** What the RTMP tests share: deterministic crypto, and reading what a session sent. */
import { createHmac } from 'node:crypto';
import { type AmfObject, type AmfValue, isAmfPropertyBag, toAmfObject } from '../src/protocol/amf/amf-value.ts';
import { parseAmf0 } from '../src/protocol/amf/amf0-reader.ts';
import { ChunkReader } from '../src/protocol/rtmp/chunk-reader.ts';
import { writeMessage } from '../src/protocol/rtmp/chunk-writer.ts';
import { writeCommand } from '../src/protocol/rtmp/command.ts';
import {
  type ControlMessage,
  parseControlMessage,
  writeControlMessage,
} from '../src/protocol/rtmp/control-messages.ts';
import type { HandshakeCrypto } from '../src/protocol/rtmp/handshake-digest.ts';
import { RTMP_MESSAGE_TYPE, type RtmpMessage } from '../src/protocol/rtmp/rtmp-message.ts';

import type { RtmpServerEvent } from '../src/protocol/rtmp/server-events.ts';
import { RtmpServerSession, type RtmpServerSessionOptions } from '../src/protocol/rtmp/server-session.ts';

/** Real HMAC, "random" bytes that are the same in every run. */
export function testCrypto(seed = 1): HandshakeCrypto {
  let state = seed >>> 0;
  return {
    hmacSha256: (key, message) => new Uint8Array(createHmac('sha256', key).update(message).digest()),
    randomBytes: (size) => {
      const bytes = new Uint8Array(size);
      for (let i = 0; i < size; i++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        bytes[i] = state >>> 24;
      }
      return bytes;
    },
  };
}

/** The bytes of all `send` events, joined. */
export function sentBytes(events: readonly { readonly type: string; readonly bytes?: Uint8Array }[]): Uint8Array {
  return joinBytes(events.flatMap((event) => (event.type === 'send' && event.bytes ? [event.bytes] : [])));
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Cuts `bytes` into pieces at the given positions (any numbers). */
export function cutAt(bytes: Uint8Array, positions: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(positions.map((position) => position % (bytes.length + 1)))].sort((a, b) => a - b);
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    pieces.push(bytes.slice(from, cut));
    from = cut;
  }
  return pieces;
}

/** AMF as plain JSON-like values, so that tests can say what they expect in one line. */
export function plain(value: AmfValue): unknown {
  if (isAmfPropertyBag(value)) {
    return Object.fromEntries([...value.properties].map(([name, property]) => [name, plain(property)]));
  }
  return Array.isArray(value) ? value.map((item: AmfValue) => plain(item)) : value;
}

/** A message told in one line: `csid:sid name(tid, …)` for commands, a ControlMessage, or data values. */
export type Told =
  | { readonly command: string; readonly sid: number; readonly tid: AmfValue; readonly values: readonly unknown[] }
  | { readonly data: readonly unknown[]; readonly sid: number }
  | ControlMessage
  | { readonly typeId: number; readonly sid: number; readonly timestamp: number; readonly size: number };

/** Reads a peer's chunk stream and tells each message. */
export class Listener {
  readonly #reader = new ChunkReader();

  hear(bytes: Uint8Array): Told[] {
    const told: Told[] = [];
    const error = this.#reader.receive(bytes, (message) => told.push(tell(message)));
    if (error !== undefined) throw error;
    return told;
  }
}

function tell(message: RtmpMessage): Told {
  const { typeId, payload, messageStreamId: sid } = message;
  if (typeId === RTMP_MESSAGE_TYPE.commandAmf0) {
    const [command, tid, ...values] = parseAmf0(payload).values;
    return { command: typeof command === 'string' ? command : '?', sid, tid, values: values.map(plain) };
  }
  if (typeId === RTMP_MESSAGE_TYPE.dataAmf0) return { data: parseAmf0(payload).values.map(plain), sid };
  return parseControlMessage(typeId, payload) ?? { typeId, sid, timestamp: message.timestamp, size: payload.length };
}

/** Writes a peer's messages by hand, in chunks of `chunkSize`. */
export class Speaker {
  chunkSize = 128;

  command(sid: number, name: string, tid: number, ...values: readonly AmfValue[]): Uint8Array {
    const [object, ...args] = values;
    return this.message(
      RTMP_MESSAGE_TYPE.commandAmf0,
      sid,
      0,
      writeCommand({ name, transactionId: tid, object, args }),
    );
  }

  control(message: ControlMessage): Uint8Array {
    const { typeId, payload } = writeControlMessage(message);
    const bytes = this.message(typeId, 0, 0, payload);
    if (message.type === 'set-chunk-size') this.chunkSize = message.sizeBytes;
    return bytes;
  }

  message(typeId: number, sid: number, timestamp: number, payload: Uint8Array): Uint8Array {
    const chunkStreamId = typeId <= 6 ? 2 : typeId === 9 ? 6 : typeId === 8 ? 7 : sid === 0 ? 3 : 5;
    return writeMessage({ chunkStreamId, timestamp, typeId, messageStreamId: sid, parts: [payload] }, this.chunkSize);
  }
}

/** What a client says in a plain connect. */
export function connectObject(properties: Readonly<Record<string, AmfValue>> = {}): AmfObject {
  return toAmfObject({ app: 'live', tcUrl: 'rtmp://h/live', flashVer: 'FMLE/3.0', ...properties });
}

/** A message the session sent, or another event. */
export type Heard = Told | Exclude<RtmpServerEvent, { type: 'send' }>;

/** A server session with a hand-made client in front of it: speaks for the client, tells what the server answers. */
export class ServerBench {
  readonly session: RtmpServerSession;
  readonly say = new Speaker();
  readonly #listener = new Listener();
  nowMs = 1000;

  constructor(options: Partial<RtmpServerSessionOptions> = {}) {
    this.session = new RtmpServerSession({
      crypto: testCrypto(),
      nowMs: 1000,
      serverVersion: 'Millrace/test',
      ...options,
    });
  }

  /** Simple handshake. */
  shake(): this {
    const events = this.session.receive(new Uint8Array(1 + 2 * 1536).fill(3, 0, 1), this.nowMs);
    if (!events.some((event) => event.type === 'handshake')) throw events;
    return this;
  }

  /** Handshake, connect and its acceptance. */
  connect(properties: Readonly<Record<string, AmfValue>> = {}): this {
    this.shake();
    this.hear(this.say.command(0, 'connect', 1, connectObject(properties)));
    this.take(this.session.acceptConnect());
    return this;
  }

  /** Feeds input; gives what the session answered and the other events, in order. */
  hear(...input: readonly Uint8Array[]): Heard[] {
    return this.take(this.session.receive(joinBytes(input), this.nowMs));
  }

  /** Tells the `send` events among `events`. */
  take(events: readonly RtmpServerEvent[]): Heard[] {
    return events.flatMap((event): Heard[] => (event.type === 'send' ? this.#listener.hear(event.bytes) : [event]));
  }
}
