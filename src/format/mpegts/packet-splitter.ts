import { TS_PACKET_SIZE_BYTES, TS_SYNC_BYTE } from './ts-packet.ts';

/** Packets in a row that must begin with the sync byte before a position is believed. */
const SYNC_PACKETS = 3;
const SYNC_SPAN: number = (SYNC_PACKETS - 1) * TS_PACKET_SIZE_BYTES + 1;

/** Receives what a splitter finds, in the order of the stream. */
export interface PacketSink {
  /** A packet of 188 bytes, a view that is valid during the call only. */
  onPacket(packet: Uint8Array): void;
  /** Once for each run of bytes that are no packets. */
  onLostSync(): void;
}

/**
 * Finds the packets of a transport stream cut anywhere. After a byte that is no sync byte it searches for three sync
 * bytes 188 bytes apart. Streams with 192 or 204 bytes a packet (M2TS, Reed-Solomon) are not taken.
 */
export class PacketSplitter {
  #rest: Uint8Array = new Uint8Array(0);
  #isLocked = false;
  #hasTold = false;

  /** Takes the next bytes, of which at most 376 are kept (copied) until the next call. */
  receive(bytes: Uint8Array, sink: PacketSink): void {
    let input = bytes;
    if (this.#rest.length > 0) {
      input = new Uint8Array(this.#rest.length + bytes.length);
      input.set(this.#rest);
      input.set(bytes, this.#rest.length);
    }
    const consumed = this.#split(input, sink);
    this.#rest = input.slice(consumed);
  }

  /** The stream has ended: what waits for more sync bytes to come is taken as it is. */
  flush(sink: PacketSink): void {
    const rest = this.#rest;
    this.#rest = new Uint8Array(0);
    this.#isLocked = false;
    let at = 0;
    while (rest.length - at >= TS_PACKET_SIZE_BYTES) {
      if (rest[at] === TS_SYNC_BYTE) {
        sink.onPacket(rest.subarray(at, at + TS_PACKET_SIZE_BYTES));
        at += TS_PACKET_SIZE_BYTES;
      } else {
        this.#tellLostSync(sink);
        at++;
      }
    }
  }

  #split(input: Uint8Array, sink: PacketSink): number {
    let at = 0;
    for (;;) {
      if (this.#isLocked) {
        if (input.length - at < TS_PACKET_SIZE_BYTES) return at;
        if (input[at] === TS_SYNC_BYTE) {
          sink.onPacket(input.subarray(at, at + TS_PACKET_SIZE_BYTES));
          at += TS_PACKET_SIZE_BYTES;
          continue;
        }
        this.#isLocked = false;
      }
      if (input.length - at < SYNC_SPAN) return at;
      if (isSync(input, at)) {
        this.#isLocked = true;
        this.#hasTold = false;
        continue;
      }
      this.#tellLostSync(sink);
      // Jump to the next byte that can begin a packet.
      const next = input.indexOf(TS_SYNC_BYTE, at + 1);
      at = next < 0 || next > input.length - SYNC_SPAN ? Math.max(at + 1, input.length - SYNC_SPAN + 1) : next;
    }
  }

  #tellLostSync(sink: PacketSink): void {
    if (!this.#hasTold) sink.onLostSync();
    this.#hasTold = true;
  }
}

function isSync(input: Uint8Array, at: number): boolean {
  for (let i = 0; i < SYNC_PACKETS; i++) if (input[at + i * TS_PACKET_SIZE_BYTES] !== TS_SYNC_BYTE) return false;
  return true;
}
