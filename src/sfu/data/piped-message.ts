import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import type { DataMessage, OutgoingMessage } from './data-producer.ts';

/** Payload protocol identifier, one of our own, of messages between routers that say who they are for. */
export const PIPED_MESSAGE_PPID = 0x4d52_7363;

const HEADER_BYTES = 8;
const HAS_REQUIRED = 0x80;
const HAS_IGNORED = 0x40;
const MAX_COUNT = 0xffff;

/** Most a piped message is longer by than what it carries, bytes. */
export const MAX_PIPED_OVERHEAD_BYTES: number = HEADER_BYTES + 4 + 2 * MAX_COUNT;

/** Whether a message says who it is for. */
export function isAddressed({ subchannels = [], requiredSubchannel, ignoredSubchannel }: OutgoingMessage): boolean {
  return subchannels.length > 0 || requiredSubchannel !== undefined || ignoredSubchannel !== undefined;
}

/**
 * A message with its subchannels, for the router at the other end of a pipe. Of more than 65,535 subchannels the first go.
 *
 *      0                   1                   2                   3
 *     +-+-+-----------+---------------+-------------------------------+
 *     |R|I|     0     |       0       |       subchannels: count      |
 *     +-+-+-----------+---------------+-------------------------------+
 *     |                  payload protocol identifier                  |
 *     +-------------------------------+-------------------------------+
 *     |  required subchannel (if R)   |   ignored subchannel (if I)   |
 *     +-------------------------------+-------------------------------+
 *     |  subchannels, 16 bits each …  |           message …           |
 */
export function writePipedMessage(message: OutgoingMessage): Uint8Array {
  const { ppid, bytes, subchannels = [], requiredSubchannel, ignoredSubchannel } = message;
  const count = Math.min(MAX_COUNT, subchannels.length);
  const out = new ByteWriter(HEADER_BYTES + 4 + 2 * count + bytes.length);
  const flags =
    (requiredSubchannel === undefined ? 0 : HAS_REQUIRED) | (ignoredSubchannel === undefined ? 0 : HAS_IGNORED);
  out.u8(flags);
  out.u8(0);
  out.u16(count);
  out.u32(ppid);
  if (requiredSubchannel !== undefined) out.u16(requiredSubchannel);
  if (ignoredSubchannel !== undefined) out.u16(ignoredSubchannel);
  for (let i = 0; i < count; i++) out.u16(subchannels[i]!);
  out.raw(bytes);
  return out.finish();
}

/** Reads one; its `bytes` are a view. Undefined when it is cut off. */
export function parsePipedMessage(piped: Uint8Array): DataMessage | undefined {
  const reader = new ByteReader(piped);
  const flags = reader.u8();
  reader.skip(1);
  const count = reader.u16();
  const ppid = reader.u32();
  const required = (flags & HAS_REQUIRED) === 0 ? {} : { requiredSubchannel: reader.u16() };
  const ignored = (flags & HAS_IGNORED) === 0 ? {} : { ignoredSubchannel: reader.u16() };
  if (reader.remaining < 2 * count) return undefined;
  const subchannels = Array.from({ length: count }, () => reader.u16());
  const bytes = reader.view(reader.remaining);
  return reader.overrun ? undefined : { ppid, bytes, subchannels, ...required, ...ignored };
}
