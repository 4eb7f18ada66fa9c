/**
 * The way packets come and go under the SFU: bytes that lie in memory of the socket, so that a packet on its way through
 * costs no object. `io/` implements it.
 */

/** Who a packet came from, or where one goes. Made by the socket and good only there. */
export interface PacketAddress {
  readonly address: string;
  /** 1–65535. */
  readonly port: number;
}

/**
 * Gets each packet where it lies: at `[start, end)` of `bytes`, which may be written into and are good during the call only.
 * `source` may be kept, and can be sent to; most often it is one object for one peer, but only address and port say so.
 * Must not throw.
 */
export type PacketHandler = (bytes: Uint8Array, start: number, end: number, source: PacketAddress) => void;

/**
 * Packets that wait to be sent together: written where they will be sent from, each to its own target. Packets to one
 * target leave in order. They leave by `flush`, when the queue is full, and in any case at the end of this turn of the
 * event loop; what the kernel has no room for then is dropped and counted by the socket.
 *
 *     const at = queue.reserve(sizeBytes + overheadBytes);
 *     if (at >= 0) { …write at queue.bytes[at]…; queue.put(writtenBytes, to); }
 */
export interface PacketQueue {
  /** The memory packets are written into, until packets leave: to be asked for after `reserve`. */
  readonly bytes: Uint8Array;
  /** Packets put since the last flush. */
  readonly waiting: number;
  /** Packets of one size that follow each other to one target leave as one, and cost less by far. */
  readonly joinsEqualSizes?: boolean;
  /**
   * Room for one packet, until the next call of this queue: an offset in `bytes`, or −1 when the socket is closed or no
   * packet may be so long. Room that is not used by `put` costs nothing.
   */
  reserve(sizeBytes: number): number;
  /**
   * Queues what was written from the reserved offset on. The bytes may still be changed until the flush.
   * @param sizeBytes no more than was reserved
   * @throws StateError `datagram/not-reserved`
   */
  put(sizeBytes: number, to: PacketAddress): void;
  /** Sends what waits now. */
  flush(): void;
}
