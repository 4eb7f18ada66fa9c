import { ABS_SEND_TIME_BYTES, toAbsSendTime, writeAbsSendTime } from '../../protocol/rtp/extensions/abs-send-time.ts';
import { HEADER_EXTENSION_URI } from '../../protocol/rtp/extensions/header-extension-uris.ts';
import { HeaderExtensionWriter, type OwnElement } from '../../protocol/rtp/extensions/header-extension-writer.ts';
import { streamNameBytes } from '../../protocol/rtp/extensions/stream-name.ts';
import {
  TRANSPORT_WIDE_SEQUENCE_NUMBER_BYTES,
  writeTransportWideSequenceNumber,
} from '../../protocol/rtp/extensions/transport-wide-sequence-number.ts';
import type { RtpPacketView } from '../../protocol/rtp/rtp-packet-view.ts';
import { setU16, setU32 } from '../../wire/big-endian.ts';
import type { PacketSender, SentKind } from '../transports/packet-sender.ts';
import { headerExtensionId, type RtpParameters } from '../transports/rtp-parameters.ts';

/** What a packet may grow by besides longer forms of its elements: elements of our own, padding, the number of a repair. */
const HEADER_ROOM_BYTES = 160;

/** Elements each transport writes for itself, and those that name streams of the producer. */
const OWN_URIS: ReadonlySet<string> = new Set([
  HEADER_EXTENSION_URI.mid,
  HEADER_EXTENSION_URI.rid,
  HEADER_EXTENSION_URI.repairedRid,
  HEADER_EXTENSION_URI.absSendTime,
  HEADER_EXTENSION_URI.transportWideSequenceNumber,
]);

/** Fields of the header of a copy. */
export interface CopyHeader {
  payloadType: number;
  ssrc: number;
  sequenceNumber: number;
  timestamp: number;
  marker: boolean;
}

/** Writes the packets of a producer as a consumer gets them, straight into the memory they are sent from. */
export class PacketWriter {
  readonly #sender: PacketSender;
  readonly #consumerId: string;
  readonly #extensions: HeaderExtensionWriter;
  readonly #absSendTimeIndex: number;
  readonly #transportNumberIndex: number;
  #at = 0;
  #end = 0;

  /** Where the payload of the packet written last begins in `sender.bytes`. */
  payloadAt = 0;

  constructor(consumerId: string, sender: PacketSender, from: RtpParameters, to: RtpParameters) {
    const own: OwnElement[] = [];
    const add = (uri: string, data: Uint8Array | undefined): number => {
      const id = headerExtensionId(to, uri);
      return id === 0 || data === undefined ? -1 : own.push({ id, data }) - 1;
    };
    add(HEADER_EXTENSION_URI.mid, to.mid === undefined ? undefined : streamNameBytes(to.mid));
    this.#absSendTimeIndex = add(HEADER_EXTENSION_URI.absSendTime, new Uint8Array(ABS_SEND_TIME_BYTES));
    this.#transportNumberIndex = add(
      HEADER_EXTENSION_URI.transportWideSequenceNumber,
      new Uint8Array(TRANSPORT_WIDE_SEQUENCE_NUMBER_BYTES),
    );
    const ids = new Map<number, number>();
    for (const { uri, id } of from.headerExtensions ?? []) {
      const outgoing = OWN_URIS.has(uri) ? 0 : headerExtensionId(to, uri);
      if (outgoing !== 0) ids.set(id, outgoing);
    }
    this.#consumerId = consumerId;
    this.#sender = sender;
    // A structure of many layers is longer than the one-byte form allows. Who agrees on it reads both.
    const allowTwoByte = headerExtensionId(to, HEADER_EXTENSION_URI.dependencyDescriptor) !== 0;
    this.#extensions = new HeaderExtensionWriter({ ids, own, allowTwoByte });
  }

  /**
   * Writes a copy; `send` sends it.
   * @param payload without padding
   * @param originalNumber of a repair (RFC 4588 §4): the number of what it repeats; −1 for other packets
   * @param paddingBytes to be added where it makes sending cheaper, 0–255
   * @returns false when it can't be sent
   */
  write(
    view: RtpPacketView,
    payload: Uint8Array,
    header: CopyHeader,
    originalNumber: number,
    paddingBytes = 0,
  ): boolean {
    // Elements in the two-byte form are longer by one byte than the two or more they had.
    const longerBytes = (view.extensionEnd - view.extensionStart) >>> 1;
    const headerBytes = view.payloadStart - view.start;
    const at = this.#sender.reserve(headerBytes + longerBytes + HEADER_ROOM_BYTES + payload.length);
    if (at < 0) return false;
    const out = this.#sender.bytes;
    let payloadAt = this.#extensions.write(view, out, at);
    if (payloadAt < 0) {
      this.#sender.dropped++;
      return false;
    }
    const { sequenceNumber, timestamp, ssrc } = header;
    out[at + 1] = (header.marker ? 0x80 : 0) | header.payloadType;
    setU16(out, at + 2, sequenceNumber);
    setU32(out, at + 4, timestamp);
    setU32(out, at + 8, ssrc);
    if (originalNumber >= 0) {
      setU16(out, payloadAt, originalNumber);
      payloadAt += 2;
    }
    out.set(payload, payloadAt);
    this.#at = at;
    this.#end = payloadAt + payload.length;
    this.payloadAt = payloadAt;
    if (paddingBytes > 0 && this.#sender.joinsEqualSizes) this.#pad(paddingBytes);
    return true;
  }

  /** RFC 3550 §5.1: the last byte says how many there are. */
  #pad(paddingBytes: number): void {
    const out = this.#sender.bytes;
    const end = this.#end + paddingBytes;
    out[this.#at]! |= 0x20;
    for (let i = this.#end; i < end - 1; i++) out[i] = 0;
    out[end - 1] = paddingBytes;
    this.#end = end;
  }

  /** Sets a view on what was written last, until it is sent. */
  look(view: RtpPacketView): boolean {
    return view.look(this.#sender.bytes, this.#at, this.#end);
  }

  /** Sends what was written last. @returns bytes of the packet of RTP, 0 when it was dropped */
  send(kind: SentKind, nowMs: number, probeClusterId?: number): number {
    const sender = this.#sender;
    const out = sender.bytes;
    if (this.#absSendTimeIndex >= 0) {
      const ticks = toAbsSendTime(nowMs * 1000);
      writeAbsSendTime(out, this.#extensions.ownDataOffset(this.#absSendTimeIndex), ticks);
    }
    const isNumbered = this.#transportNumberIndex >= 0;
    if (isNumbered) {
      const numberAt = this.#extensions.ownDataOffset(this.#transportNumberIndex);
      writeTransportWideSequenceNumber(out, numberAt, sender.transportNumber);
    }
    const sentBytes = sender.sendRtp(this.#at, this.#end, this.#consumerId, kind, isNumbered, nowMs, probeClusterId);
    return sentBytes === 0 ? 0 : this.#end - this.#at;
  }
}
