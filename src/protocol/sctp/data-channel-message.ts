import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';

/** Payload protocol identifiers of data channels (RFC 8831 §8). The partial ones are of older implementations. */
export const DATA_CHANNEL_PPID = {
  control: 50,
  string: 51,
  binaryPartial: 52,
  binary: 53,
  stringPartial: 54,
  stringEmpty: 56,
  binaryEmpty: 57,
} as const;

/** How a channel delivers. At most one of the limits is set. */
export interface ChannelReliability {
  readonly ordered: boolean;
  /** Times a message may be sent again. */
  readonly maxRetransmits?: number;
  /** Milliseconds after which a message is given up. */
  readonly maxLifetimeMs?: number;
}

/** DATA_CHANNEL_OPEN (RFC 8832 §5.1). */
export interface DataChannelOpen {
  readonly type: 'open';
  readonly reliability: ChannelReliability;
  /** 128 below normal, 256 normal, 512 high, 1024 extra high (RFC 8831 §6.4). */
  readonly priority: number;
  readonly label: string;
  readonly protocol: string;
}

/** A message of the Data Channel Establishment Protocol. */
export type DataChannelMessage = DataChannelOpen | { readonly type: 'ack' };

const MESSAGE_TYPE = { ack: 2, open: 3 } as const;
const CHANNEL_TYPE = { reliable: 0, limitedRetransmits: 1, limitedLifetime: 2 } as const;
const UNORDERED = 0x80;

/**
 * Reads a message of PPID 50; undefined when it is malformed, or of a channel type that does not exist. Label and
 * protocol that are not UTF-8 are read with replacement characters.
 *
 * ```
 * |  Type = 0x03  |  Channel Type |            Priority           |
 * |                    Reliability Parameter                      |
 * |         Label Length          |       Protocol Length         |
 * |  Label …                      |  Protocol …                   |
 * ```
 */
export function parseDataChannelMessage(bytes: Uint8Array): DataChannelMessage | undefined {
  if (bytes[0] === MESSAGE_TYPE.ack) return { type: 'ack' };
  if (bytes[0] !== MESSAGE_TYPE.open) return undefined;
  const reader = new ByteReader(bytes, 1);
  const channelType = reader.u8();
  const priority = reader.u16();
  const parameter = reader.u32();
  const labelBytes = reader.u16();
  const protocolBytes = reader.u16();
  const label = reader.view(labelBytes);
  const protocol = reader.view(protocolBytes);
  if (reader.overrun) return undefined;
  const reliability = reliabilityOf(channelType, parameter);
  if (reliability === undefined) return undefined;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return { type: 'open', reliability, priority, label: decoder.decode(label), protocol: decoder.decode(protocol) };
}

function reliabilityOf(channelType: number, parameter: number): ChannelReliability | undefined {
  const ordered = (channelType & UNORDERED) === 0;
  switch (channelType & ~UNORDERED) {
    case CHANNEL_TYPE.reliable:
      return { ordered };
    case CHANNEL_TYPE.limitedRetransmits:
      return { ordered, maxRetransmits: parameter };
    case CHANNEL_TYPE.limitedLifetime:
      return { ordered, maxLifetimeMs: parameter };
    default:
      return undefined;
  }
}

/** The bytes of a message. Label and protocol have at most 65,535 bytes of UTF-8 each; the caller has checked. */
export function writeDataChannelMessage(message: DataChannelMessage): Uint8Array {
  if (message.type === 'ack') return Uint8Array.of(MESSAGE_TYPE.ack);
  const { reliability, priority } = message;
  const { maxRetransmits, maxLifetimeMs } = reliability;
  let channelType: number = CHANNEL_TYPE.reliable;
  if (maxRetransmits !== undefined) channelType = CHANNEL_TYPE.limitedRetransmits;
  else if (maxLifetimeMs !== undefined) channelType = CHANNEL_TYPE.limitedLifetime;
  const encoder = new TextEncoder();
  const label = encoder.encode(message.label);
  const protocol = encoder.encode(message.protocol);
  const writer = new ByteWriter(12 + label.length + protocol.length);
  writer.u8(MESSAGE_TYPE.open).u8(reliability.ordered ? channelType : channelType | UNORDERED);
  writer.u16(priority).u32(maxRetransmits ?? maxLifetimeMs ?? 0);
  writer.u16(label.length).u16(protocol.length).raw(label).raw(protocol);
  return writer.finish();
}
