import type { RtpPacketView } from '../protocol/rtp/rtp-packet-view.ts';
import { type PacketTaker, ProducerPacket } from './producer-packet.ts';
import type { ProducerStream } from './producer-stream.ts';

/** Most packets that wait to be forwarded together: more than most frames have. */
export const MAX_BURST_PACKETS = 32;

/** Packets of a frame that are shorter than the longest by no more are made as long, where that saves sending. */
export const MAX_EQUALIZING_BYTES = 8;

/**
 * The packets of one stream that came together, mostly those of a frame. They are forwarded taker by taker, not packet by
 * packet: what a viewer's copies need of keys, counters and numbers is then in the processor's caches for all of them, and
 * lies side by side where it is sent from. Until then they wait in the store of the stream, which keeps them anyway.
 */
export class PacketBurst {
  readonly #stream: ProducerStream;
  /** Made when a burst is longer than all before it. */
  readonly #packets: ProducerPacket[] = [];
  #count = 0;

  constructor(stream: ProducerStream) {
    this.#stream = stream;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isFull(): boolean {
    return this.#count === MAX_BURST_PACKETS;
  }

  /**
   * Adds the packet the stream has read last, by its place in the store.
   * @param contentsAt where its payload began then
   */
  add(storeIndex: number, contentsAt: number): void {
    const packet = this.#packetAt(this.#count++);
    packet.storeIndex = storeIndex;
    packet.epoch = this.#stream.received.epoch;
    packet.contentsAt = contentsAt;
    // What was read of it stays with it; the stream reads the next one into what is free.
    const free = packet.contents;
    packet.contents = this.#stream.payload;
    this.#stream.payload = free;
  }

  /** Forwards what waits, to each taker all of it. */
  forward(takers: readonly PacketTaker[], nowMs: number): void {
    const count = this.#count;
    const stream = this.#stream;
    this.#count = 0;
    let held = 0;
    for (let i = 0; i < count; i++) {
      const packet = this.#packets[i]!;
      // Nothing but a store that was cleared forgets so soon.
      if (!stream.store.look(packet.storeIndex, packet.view, nowMs)) continue;
      packet.payload = payloadOf(packet.view);
      // Those that are held come first.
      this.#packets[i] = this.#packets[held]!;
      this.#packets[held++] = packet;
    }
    this.#equalize(held);
    const free = stream.payload;
    for (let i = 0; i < takers.length; i++) {
      for (let k = 0; k < held; k++) this.#give(this.#packets[k]!, takers[i]!, nowMs);
    }
    stream.payload = free;
    // A store gives its memory back when nobody watches any more.
    for (let i = 0; i < held; i++) this.#packets[i]!.forget();
  }

  /** Forwards the packet the stream has read last, where it lies: it is not stored. @param contentsAt as of `add` */
  forwardNow(view: RtpPacketView, contentsAt: number, takers: readonly PacketTaker[], nowMs: number): void {
    const packet = this.#packetAt(0);
    packet.view.look(view.bytes, view.start, view.end);
    packet.payload = payloadOf(view);
    packet.storeIndex = -1;
    packet.paddingBytes = 0;
    packet.contentsAt = contentsAt;
    this.#stream.epoch = this.#stream.received.epoch;
    for (let i = 0; i < takers.length; i++) takers[i]!.takePacket(packet, this.#stream, nowMs);
  }

  #give(packet: ProducerPacket, taker: PacketTaker, nowMs: number): void {
    this.#stream.payload = packet.contents;
    this.#stream.epoch = packet.epoch;
    taker.takePacket(packet, this.#stream, nowMs);
  }

  /**
   * Encoders cut frames into packets that differ by a byte, the longer ones last: which the kernel takes as two runs for
   * each viewer, where packets of one size, and a shorter end, would be one.
   */
  #equalize(count: number): void {
    let end = 0;
    for (let first = 0; first < count; first = end) {
      const { timestamp } = this.#packets[first]!.view;
      let longest = 0;
      for (end = first; end < count && this.#packets[end]!.view.timestamp === timestamp; end++) {
        longest = Math.max(longest, sizeOf(this.#packets[end]!));
      }
      for (let i = first; i < end; i++) {
        const missing = longest - sizeOf(this.#packets[i]!);
        this.#packets[i]!.paddingBytes = missing <= MAX_EQUALIZING_BYTES ? missing : 0;
      }
    }
  }

  #packetAt(index: number): ProducerPacket {
    const known = this.#packets[index];
    if (known !== undefined) return known;
    const packet = new ProducerPacket(this.#stream.createPayload());
    this.#packets.push(packet);
    return packet;
  }
}

function sizeOf({ view }: ProducerPacket): number {
  return view.end - view.start;
}

function payloadOf({ bytes, payloadStart, payloadEnd }: RtpPacketView): Uint8Array {
  return bytes.subarray(payloadStart, payloadEnd);
}
