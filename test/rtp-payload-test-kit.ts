/** What the tests of RTP payload formats share: packets in memory, losses, and captured streams. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DepacketizedUnit, Depacketizer, RtpPayload } from '../src/protocol/rtp/payload/depacketizer.ts';
import type { Packetizer, PayloadWriter } from '../src/protocol/rtp/payload/packetizer.ts';
import type { RtpMapping } from '../src/protocol/rtp/payload/payload-format.ts';

/** Where captured streams are. */
export const RTP_FIXTURES: string = join(import.meta.dirname, 'fixtures', 'rtp');

/** Keeps what a packetizer writes, and throws where it breaks the contract of `PayloadWriter`. */
export class MemoryPayloadWriter implements PayloadWriter {
  readonly maxPayloadSize: number;
  readonly packets: RtpPayload[] = [];
  readonly #timestamp: number;
  #bytes: number[] | undefined;
  #delta = 0;

  constructor(maxPayloadSize: number, timestamp = 0) {
    this.maxPayloadSize = maxPayloadSize;
    this.#timestamp = timestamp;
  }

  open(timestampDelta = 0): void {
    if (this.#bytes !== undefined) throw new RangeError('packet opened twice');
    this.#bytes = [];
    this.#delta = timestampDelta;
  }

  #push(...values: readonly number[]): void {
    if (this.#bytes === undefined) throw new RangeError('bytes outside of a packet');
    for (const value of values) this.#bytes.push(value & 0xff);
  }

  u8(value: number): void {
    this.#push(value);
  }

  u16(value: number): void {
    this.#push(value >>> 8, value);
  }

  u32(value: number): void {
    this.#push(value >>> 24, value >>> 16, value >>> 8, value);
  }

  raw(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    if (start < 0 || end > bytes.length || start > end) throw new RangeError('bytes that are not there');
    for (let i = start; i < end; i++) this.#push(bytes[i]!);
  }

  close(marker: boolean): void {
    const bytes = this.#bytes;
    if (bytes === undefined) throw new RangeError('packet closed twice');
    if (bytes.length === 0) throw new RangeError('empty packet');
    if (bytes.length > this.maxPayloadSize) throw new RangeError(`${bytes.length} bytes in a packet`);
    const timestamp = (this.#timestamp + this.#delta) >>> 0;
    this.packets.push({ payload: Uint8Array.from(bytes), timestamp, marker, afterLoss: false });
    this.#bytes = undefined;
  }
}

/** One unit to be sent. */
export interface SentUnit {
  readonly payload: Uint8Array;
  readonly isKeyFrame: boolean;
}

/** The packets of units that come `step` timestamp units after each other. */
export function packetize(
  packetizer: Packetizer,
  units: readonly SentUnit[],
  options: { readonly maxPayloadSize: number; readonly timestamp?: number; readonly step?: number },
): RtpPayload[] {
  const { maxPayloadSize, timestamp = 0, step = 3600 } = options;
  return units.flatMap((unit, i) => {
    const writer = new MemoryPayloadWriter(maxPayloadSize, (timestamp + i * step) >>> 0);
    packetizer.write(unit.payload, unit.isKeyFrame, writer);
    return writer.packets;
  });
}

/** The packets without those for which `isLost` says so by index; `afterLoss` as a receiver would see it. */
export function withLoss(packets: readonly RtpPayload[], isLost: (index: number) => boolean): RtpPayload[] {
  const received: RtpPayload[] = [];
  let afterLoss = false;
  packets.forEach((packet, i) => {
    if (isLost(i)) {
      afterLoss = true;
      return;
    }
    received.push({ ...packet, afterLoss });
    afterLoss = false;
  });
  return received;
}

/** Feeds packets from a buffer that is overwritten after each, as receivers do it. */
export function depacketize(depacketizer: Depacketizer, packets: readonly RtpPayload[]): DepacketizedUnit[] {
  return packets.flatMap((packet) => {
    const payload = packet.payload.slice();
    const units = depacketizer.receive({ ...packet, payload });
    payload.fill(0xee);
    return units;
  });
}

/** A mapping as SDP would bring it, from `name=value` pairs with semicolons between. */
export function mappingOf(encodingName: string, fmtp = '', clockRate = 90_000, payloadType = 96): RtpMapping {
  const parameters = new Map<string, string>();
  for (const pair of fmtp.split(';')) {
    const text = pair.trim();
    const equals = text.indexOf('=');
    if (text !== '') {
      parameters.set(
        (equals < 0 ? text : text.slice(0, equals)).toLowerCase(),
        equals < 0 ? '' : text.slice(equals + 1),
      );
    }
  }
  return { payloadType, encodingName, clockRate, parameters };
}

/** The mapping of the first `a=rtpmap` and `a=fmtp` in a captured SDP file. */
export function readSdpMapping(file: string): RtpMapping {
  const text = readFileSync(join(RTP_FIXTURES, file), 'utf8');
  const map = /a=rtpmap:(\d+) ([^/\s]+)\/(\d+)/.exec(text);
  const fmtp = /a=fmtp:\d+ (.*)/.exec(text)?.[1] ?? '';
  if (map === null) throw new RangeError(`${file} has no rtpmap`);
  return mappingOf(map[2]!, fmtp.trim(), Number(map[3]), Number(map[1]));
}

/** The packets of a captured stream: RTP packets, each behind 16 bits of length (RFC 4571). */
export function readRtpFile(file: string): RtpPayload[] {
  return parseRtpStream(new Uint8Array(readFileSync(join(RTP_FIXTURES, file))));
}

/** Takes apart RTP packets behind 16 bits of length each (RFC 4571). RTCP among them is left out. */
export function parseRtpStream(bytes: Uint8Array): RtpPayload[] {
  const packets: RtpPayload[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let expected: number | undefined;
  for (let at = 0; at + 2 <= bytes.length; at += 2 + view.getUint16(at)) {
    const start = at + 2;
    const end = start + view.getUint16(at);
    const first = bytes[start]!;
    const second = bytes[start + 1]!;
    if (second >= 200 && second <= 204) continue;
    const sequenceNumber = view.getUint16(start + 2);
    let payloadAt = start + 12 + 4 * (first & 15);
    if ((first & 0x10) !== 0) payloadAt += 4 + 4 * view.getUint16(payloadAt + 2);
    const payloadEnd = end - ((first & 0x20) !== 0 ? bytes[end - 1]! : 0);
    packets.push({
      payload: bytes.slice(payloadAt, payloadEnd),
      timestamp: view.getUint32(start + 4),
      marker: (second & 0x80) !== 0,
      afterLoss: expected !== undefined && sequenceNumber !== expected,
    });
    expected = (sequenceNumber + 1) & 0xffff;
  }
  return packets;
}

/** The bytes of a fixture. */
export function readFixture(file: string): Uint8Array {
  return new Uint8Array(readFileSync(join(RTP_FIXTURES, file)));
}

/** The frames of an IVF file. */
export function readIvf(file: string): Uint8Array[] {
  const bytes = readFixture(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Uint8Array[] = [];
  for (let at = view.getUint16(6, true); at + 12 <= bytes.length; ) {
    const size = view.getUint32(at, true);
    frames.push(bytes.subarray(at + 12, at + 12 + size));
    at += 12 + size;
  }
  return frames;
}
