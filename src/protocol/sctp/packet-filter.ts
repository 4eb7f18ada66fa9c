import { CHUNK_TYPE, FLAG_TAG_REFLECTED } from './chunk-type.ts';
import {
  CHUNK_HEADER_BYTES,
  isChecksumRight,
  isChecksumZero,
  PACKET_HEADER_BYTES,
  parsePacketHeader,
} from './packet-builder.ts';
import type { SctpSettings } from './sctp-options.ts';

/** Packets, and parts of them, that were not taken, by reason. */
export interface DroppedPackets {
  malformed: number;
  checksum: number;
  ports: number;
  tag: number;
}

/** Verification tags of an association; `peer` is 0 while it is not known. */
export interface TagPair {
  readonly local: number;
  readonly peer: number;
}

/** Tells packets of an association from others (RFC 9260 §8.5, RFC 9653 §5.3), and counts those. */
export class PacketFilter {
  readonly dropped: DroppedPackets = { malformed: 0, checksum: 0, ports: 0, tag: 0 };
  readonly #settings: SctpSettings;

  constructor(settings: SctpSettings) {
    this.#settings = settings;
  }

  /** Whether length, ports, checksum and verification tag are right. The tag of a COOKIE ECHO is left to its cookie. */
  accepts(packet: Uint8Array, tags: TagPair): boolean {
    if (packet.length < PACKET_HEADER_BYTES + CHUNK_HEADER_BYTES) {
      this.dropped.malformed++;
      return false;
    }
    const { sourcePort, destinationPort, verificationTag } = parsePacketHeader(packet);
    if (sourcePort !== this.#settings.remotePort || destinationPort !== this.#settings.localPort) {
      this.dropped.ports++;
      return false;
    }
    const type = packet[PACKET_HEADER_BYTES]!;
    const mayLackChecksum = this.#settings.zeroChecksum && type !== CHUNK_TYPE.init && type !== CHUNK_TYPE.cookieEcho;
    if (!(mayLackChecksum && isChecksumZero(packet)) && !isChecksumRight(packet)) {
      this.dropped.checksum++;
      return false;
    }
    if (isTagRight(type, packet[PACKET_HEADER_BYTES + 1]!, verificationTag, tags)) return true;
    this.dropped.tag++;
    return false;
  }
}

function isTagRight(type: number, flags: number, tag: number, { local, peer }: TagPair): boolean {
  switch (type) {
    case CHUNK_TYPE.init:
      return tag === 0;
    case CHUNK_TYPE.cookieEcho:
      return true;
    case CHUNK_TYPE.abort:
    case CHUNK_TYPE.shutdownComplete:
      return (flags & FLAG_TAG_REFLECTED) !== 0 ? peer !== 0 && tag === peer : tag === local;
    default:
      return tag === local;
  }
}
