import type { RtpPacketView } from '../../protocol/rtp/rtp-packet-view.ts';

/** Most packets that are held for being asked for again. */
export const MAX_STORED_PACKETS = 2500;
/** Most bytes that are held. */
export const MAX_STORE_BYTES: number = 4 * 1024 * 1024;
/** How long packets are held, milliseconds. */
export const STORED_VIDEO_MS = 2000;
export const STORED_AUDIO_MS = 1000;

const INITIAL_BYTES = 16 * 1024;
const INITIAL_SLOTS = 64;
const PADDING_FLAG = 0x20;

/** How much a `PacketStore` holds. */
export interface PacketStoreOptions {
  readonly maxAgeMs: number;
  /** Default `MAX_STORE_BYTES`. */
  readonly maxBytes?: number;
}

/**
 * The last packets of a stream, in one ring of bytes: one for all that the stream is forwarded to, however many. Each
 * packet has an index, counted from 0 without an end. The ring grows when packets would have to leave before their time,
 * and goes back to nothing by `clear`.
 */
export class PacketStore {
  readonly #maxAgeMs: number;
  readonly #maxBytes: number;
  #bytes = new Uint8Array(0);
  #starts = new Int32Array(0);
  #sizes = new Uint16Array(0);
  #storedMs = new Float64Array(0);
  #first = 0;
  #end = 0;
  /** Where the next packet goes. */
  #head = 0;

  constructor(options: PacketStoreOptions) {
    this.#maxAgeMs = options.maxAgeMs;
    this.#maxBytes = options.maxBytes ?? MAX_STORE_BYTES;
  }

  /** Packets held. */
  get length(): number {
    return this.#end - this.#first;
  }

  /** Bytes of memory taken for packets. */
  get capacityBytes(): number {
    return this.#bytes.length;
  }

  /** Copies a packet, without its padding. @returns as `append` does */
  add(packet: RtpPacketView, nowMs: number): number {
    const index = this.append(packet.bytes, packet.start, packet.payloadEnd, nowMs);
    if (index >= 0 && packet.payloadEnd < packet.end) {
      const at = this.#starts[this.#slotOf(index)]!;
      this.#bytes[at] = this.#bytes[at]! & ~PADDING_FLAG;
    }
    return index;
  }

  /**
   * Copies the packet at `[start, end)` of `bytes`: all of it, padding included if its header says that there is some.
   * @returns its index, or −1 for one that is longer than RTP packets are or than the store
   */
  append(bytes: Uint8Array, start: number, end: number, nowMs: number): number {
    const sizeBytes = end - start;
    if (sizeBytes > 0xffff || sizeBytes > this.#maxBytes || sizeBytes <= 0) return -1;
    this.#dropAged(nowMs);
    if (this.length === MAX_STORED_PACKETS) this.#first++;
    if (this.length === this.#starts.length) this.#growSlots();
    const at = this.#makeRoom(sizeBytes);
    this.#bytes.set(bytes.subarray(start, end), at);
    const slot = this.#slotOf(this.#end);
    this.#starts[slot] = at;
    this.#sizes[slot] = sizeBytes;
    this.#storedMs[slot] = nowMs;
    this.#head = at + sizeBytes;
    return this.#end++;
  }

  /**
   * Sets `view` on a packet where it lies: it may be read until the next `append`, and must not be written to.
   * @returns false when the packet is not held, or is too old
   */
  look(index: number, view: RtpPacketView, nowMs: number): boolean {
    if (index < this.#first || index >= this.#end) return false;
    const slot = this.#slotOf(index);
    if (nowMs - this.#storedMs[slot]! > this.#maxAgeMs) return false;
    const start = this.#starts[slot]!;
    return view.look(this.#bytes, start, start + this.#sizes[slot]!);
  }

  /** Forgets all packets and gives the memory back. Indexes go on. */
  clear(): void {
    this.#first = this.#end;
    this.#head = 0;
    this.#bytes = new Uint8Array(0);
    this.#starts = new Int32Array(0);
    this.#sizes = new Uint16Array(0);
    this.#storedMs = new Float64Array(0);
  }

  #slotOf(index: number): number {
    return index & (this.#starts.length - 1);
  }

  #growSlots(): void {
    const slots = Math.max(INITIAL_SLOTS, this.#starts.length * 2);
    const [starts, sizes, storedMs] = [new Int32Array(slots), new Uint16Array(slots), new Float64Array(slots)];
    for (let index = this.#first; index < this.#end; index++) {
      const slot = this.#slotOf(index);
      starts[index & (slots - 1)] = this.#starts[slot]!;
      sizes[index & (slots - 1)] = this.#sizes[slot]!;
      storedMs[index & (slots - 1)] = this.#storedMs[slot]!;
    }
    this.#starts = starts;
    this.#sizes = sizes;
    this.#storedMs = storedMs;
  }

  #dropAged(nowMs: number): void {
    while (this.#first < this.#end && nowMs - this.#storedMs[this.#slotOf(this.#first)]! > this.#maxAgeMs)
      this.#first++;
  }

  #makeRoom(sizeBytes: number): number {
    for (;;) {
      const at = this.#findRoom(sizeBytes);
      if (at >= 0) return at;
      if (this.#bytes.length < this.#maxBytes) this.#grow(sizeBytes);
      else this.#first++;
    }
  }

  /** Where so many bytes are free in one piece; −1 when they are not. */
  #findRoom(sizeBytes: number): number {
    const { length } = this.#bytes;
    if (this.#first === this.#end) return sizeBytes <= length ? 0 : -1;
    const tail = this.#starts[this.#slotOf(this.#first)]!;
    // Head on tail means that all is taken.
    if (this.#head <= tail) return this.#head + sizeBytes <= tail ? this.#head : -1;
    if (this.#head + sizeBytes <= length) return this.#head;
    return sizeBytes <= tail ? 0 : -1;
  }

  #grow(sizeBytes: number): void {
    const wanted = Math.max(INITIAL_BYTES, this.#bytes.length * 2, sizeBytes);
    const grown = new Uint8Array(Math.min(this.#maxBytes, wanted));
    let at = 0;
    for (let index = this.#first; index < this.#end; index++) {
      const slot = this.#slotOf(index);
      const start = this.#starts[slot]!;
      const packetBytes = this.#sizes[slot]!;
      grown.set(this.#bytes.subarray(start, start + packetBytes), at);
      this.#starts[slot] = at;
      at += packetBytes;
    }
    this.#bytes = grown;
    this.#head = at;
  }
}
