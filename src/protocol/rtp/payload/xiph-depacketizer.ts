import { ByteReader } from '../../../wire/byte-reader.ts';
import { equalBytes } from '../../../wire/equal-bytes.ts';
import type { DepacketizedUnit, Depacketizer, RtpPayload } from './depacketizer.ts';
import { UnitBuffer } from './unit-buffer.ts';
import { MAX_XIPH_CONFIGURATIONS, type PackedHeaders, readPackedHeaders } from './xiph-packed-headers.ts';
import { XIPH_FRAGMENT, XIPH_KIND } from './xiph-packetizer.ts';

/** What differs between the codecs that are packed this way. */
export interface XiphCodec {
  /** `Track.config` for headers as they were received; `undefined` when they are not such headers. */
  toConfig(headers: readonly Uint8Array[]): Uint8Array | undefined;
  /** From here on packets are of this configuration. */
  begin(config: Uint8Array): void;
  /** Packets before the next one are missing. */
  skip(): void;
  /** RTP clock units from this packet's time to the next one's. */
  ticks(packet: Uint8Array): number;
  isKeyFrame(packet: Uint8Array): boolean;
}

const NOTHING: readonly DepacketizedUnit[] = [];

/**
 * Packets of Vorbis (RFC 5215 §2) or Theora out of payloads that have several, one, or a part of one. Packets of a
 * configuration that was not told, by SDP or in band, are dropped.
 *
 *     ident(24)  fragment(2) kind(2) packets(4)  {length(16)  packet} …
 */
export class XiphDepacketizer implements Depacketizer {
  readonly #codec: XiphCodec;
  /** By ident, oldest first. */
  readonly #configs: Map<number, Uint8Array> = new Map();
  readonly #parts: UnitBuffer = new UnitBuffer();
  #isOpen = false;
  #partsHead = 0;
  #partsTimestamp = 0;
  #ident: number | undefined;
  /** The configuration that the receiver of units has. */
  #toldConfig: Uint8Array | undefined;
  dropped = 0;

  /** @param configurations those of SDP; the first one is that of the track */
  constructor(codec: XiphCodec, configurations: readonly PackedHeaders[]) {
    this.#codec = codec;
    for (const { ident, headers } of configurations) {
      const config = codec.toConfig(headers);
      if (config === undefined) continue;
      this.#configs.set(ident, config);
      this.#toldConfig ??= config;
    }
  }

  receive(packet: RtpPayload): readonly DepacketizedUnit[] {
    const { payload, timestamp } = packet;
    if (packet.afterLoss) {
      this.#dropParts();
      this.#codec.skip();
    }
    if (payload.length === 0) return NOTHING;
    const reader = new ByteReader(payload);
    const head = reader.u32();
    const fragment = (head >>> 6) & 3;
    if (reader.overrun || reader.remaining < 2) {
      this.#dropParts();
      return this.#drop();
    }
    if (fragment !== XIPH_FRAGMENT.none) return this.#part(reader, head, fragment, timestamp);
    this.#dropParts();
    return this.#whole(reader, head, timestamp);
  }

  #whole(reader: ByteReader, head: number, timestamp: number): readonly DepacketizedUnit[] {
    const count = head & 15;
    const kind = (head >>> 4) & 3;
    if (kind === XIPH_KIND.configuration) {
      reader.skip(2);
      this.#configure(head >>> 8, reader.view(reader.remaining));
      return NOTHING;
    }
    const units: DepacketizedUnit[] = [];
    let time = timestamp;
    for (let i = 0; i < count; i++) {
      const packet = reader.view(reader.u16());
      if (reader.overrun) {
        this.dropped++;
        break;
      }
      if (kind !== XIPH_KIND.data || packet.length === 0) continue;
      const unit = this.#unit(head >>> 8, packet.slice(), time);
      if (unit === undefined) continue;
      units.push(unit);
      time = (time + this.#codec.ticks(packet)) >>> 0;
    }
    return units;
  }

  #part(reader: ByteReader, head: number, fragment: number, timestamp: number): readonly DepacketizedUnit[] {
    // Everything but where the part lies stays the same from the first part to the last.
    const partsHead = (head & ~0xcf) >>> 0;
    if (fragment === XIPH_FRAGMENT.start) {
      this.#dropParts();
      this.#isOpen = true;
      this.#partsHead = partsHead;
      this.#partsTimestamp = timestamp;
    } else if (!this.#isOpen) {
      return fragment === XIPH_FRAGMENT.end ? this.#drop() : NOTHING;
    }
    const kind = (head >>> 4) & 3;
    const length = reader.u16();
    // Of a configuration the first length leaves out the lengths of the headers.
    const part = reader.view(kind === XIPH_KIND.configuration ? reader.remaining : length);
    const isSame = partsHead === this.#partsHead && timestamp === this.#partsTimestamp;
    if (reader.overrun || !isSame || !this.#parts.append(part)) {
      this.#dropParts();
      return NOTHING;
    }
    if (fragment !== XIPH_FRAGMENT.end) return NOTHING;
    this.#isOpen = false;
    const packet = this.#parts.take();
    if (kind === XIPH_KIND.configuration) this.#configure(head >>> 8, packet);
    if (kind !== XIPH_KIND.data || packet.length === 0) return NOTHING;
    const unit = this.#unit(head >>> 8, packet, timestamp);
    if (unit === undefined) return NOTHING;
    this.#codec.ticks(packet);
    return [unit];
  }

  #unit(ident: number, payload: Uint8Array, timestamp: number): DepacketizedUnit | undefined {
    const config = this.#configs.get(ident);
    if (config === undefined) {
      this.dropped++;
      return undefined;
    }
    if (ident !== this.#ident) {
      this.#ident = ident;
      this.#codec.begin(config);
    }
    const isNews = config !== this.#toldConfig;
    this.#toldConfig = config;
    return { timestamp, payload, isKeyFrame: this.#codec.isKeyFrame(payload), ...(isNews && { config }) };
  }

  /** Takes a configuration that came in band; `bytes` are not kept. */
  #configure(ident: number, bytes: Uint8Array): void {
    const headers = readPackedHeaders(new ByteReader(bytes));
    const config = headers && this.#codec.toConfig(headers);
    if (config === undefined) {
      this.dropped++;
      return;
    }
    const known = this.#configs.get(ident);
    if (known !== undefined && equalBytes(known, config)) return;
    this.#configs.delete(ident);
    this.#configs.set(ident, config);
    if (ident === this.#ident) this.#ident = undefined;
    const [oldest] = this.#configs.keys();
    if (this.#configs.size > MAX_XIPH_CONFIGURATIONS && oldest !== undefined) this.#configs.delete(oldest);
  }

  #drop(): readonly DepacketizedUnit[] {
    this.dropped++;
    return NOTHING;
  }

  #dropParts(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#parts.clear();
    this.dropped++;
    this.#codec.skip();
  }
}
