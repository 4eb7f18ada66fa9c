import { crc32Mpeg } from './crc32-mpeg.ts';
import { MAX_SECTION_SIZE_BYTES, sectionSize } from './program-tables.ts';
import type { TsMalformedReason } from './ts-demux-event.ts';

/** Receives the sections of one PID. */
export interface SectionSink {
  /** A whole section whose CRC is right; a view valid during the call only. */
  onSection(section: Uint8Array): void;
  onBadSection(reason: TsMalformedReason): void;
}

/** Puts PSI sections together from packet payloads (ISO/IEC 13818-1 §2.4.4). Holds at most 1024 bytes. */
export class SectionAssembler {
  readonly #buffer: Uint8Array = new Uint8Array(MAX_SECTION_SIZE_BYTES);
  #length = 0;
  #isOpen = false;

  /** Drops what has come of a section: packets are missing. */
  reset(): void {
    this.#length = 0;
    this.#isOpen = false;
  }

  /** Takes the payload of one packet. */
  push(payload: Uint8Array, isUnitStart: boolean, sink: SectionSink): void {
    if (!isUnitStart) {
      if (this.#isOpen) this.#append(payload, sink);
      return;
    }
    const pointer = payload[0];
    if (pointer === undefined || pointer + 1 > payload.length) {
      this.reset();
      sink.onBadSection('bad-section');
      return;
    }
    if (this.#isOpen) this.#append(payload.subarray(1, 1 + pointer), sink);
    this.#length = 0;
    this.#isOpen = true;
    this.#append(payload.subarray(1 + pointer), sink);
  }

  #append(bytes: Uint8Array, sink: SectionSink): void {
    let at = 0;
    while (this.#isOpen && at < bytes.length) {
      // 0xff where a table_id should be: the rest of the packet is stuffing.
      if (this.#length === 0 && bytes[at] === 0xff) {
        this.#isOpen = false;
        return;
      }
      const wanted = this.#length < 3 ? 3 : sectionSize(this.#buffer);
      if (wanted > MAX_SECTION_SIZE_BYTES) {
        this.reset();
        sink.onBadSection('bad-section');
        return;
      }
      const taken = Math.min(wanted - this.#length, bytes.length - at);
      this.#buffer.set(bytes.subarray(at, at + taken), this.#length);
      this.#length += taken;
      at += taken;
      if (this.#length === wanted && wanted > 3) this.#finish(sink);
      else if (this.#length === 3 && sectionSize(this.#buffer) === 3) this.#length = 0;
    }
  }

  #finish(sink: SectionSink): void {
    const section = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    if (crc32Mpeg(section) === 0) sink.onSection(section);
    else sink.onBadSection('bad-section-crc');
  }
}
