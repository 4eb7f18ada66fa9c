/**
 * Many UDP packets a system call on Linux: `recvmmsg(2)` through `node:ffi`. The packets lie in one block of memory that
 * is made once and belongs to this file; whoever reads them does so before the next call.
 */

import type { DatagramTarget } from '../datagram-socket.ts';
import type { DatagramSources } from '../datagram-sources.ts';
import type { LinuxSocketCalls } from './linux-socket-calls.ts';
import { IOVEC_BYTES, MESSAGE_FLAGS, MessageBlock, MMSGHDR_BYTES, NAME_BYTES } from './message-block.ts';

/** Packets of one call. */
export const RECEIVED_PACKETS = 64;
/**
 * Memory between two packets: any datagram is shorter, and a little over 64 KiB so that packets do not compete for the same
 * lines of the processor's caches. Pages that no packet reaches are never given memory by the system.
 */
const SLOT_BYTES: number = 65_536 + 19 * 64;
/** `MSG_TRUNC` in `msg_flags`. */
const TRUNCATED = 0x20;

const MESSAGES_AT = 0;
const VECTORS_AT: number = MESSAGES_AT + RECEIVED_PACKETS * MMSGHDR_BYTES;
const NAMES_AT: number = VECTORS_AT + RECEIVED_PACKETS * IOVEC_BYTES;
const DATA_AT: number = NAMES_AT + RECEIVED_PACKETS * NAME_BYTES;
const BLOCK_BYTES: number = DATA_AT + RECEIVED_PACKETS * SLOT_BYTES;

/** Receives on sockets that others own. One for the process; its packets are good until the next `receive`. */
export class LinuxDatagramReceiver {
  /** Holds the packets; may be written into. */
  readonly bytes: Uint8Array;
  readonly #calls: Pick<LinuxSocketCalls, 'recvmmsg'>;
  readonly #block: MessageBlock;
  readonly #messages: bigint;
  readonly #sources: DatagramSources;

  constructor(calls: Pick<LinuxSocketCalls, 'recvmmsg' | 'addressOf'>, sources: DatagramSources) {
    this.#calls = calls;
    this.#sources = sources;
    const block = new MessageBlock(BLOCK_BYTES, (bytes) => calls.addressOf(bytes));
    for (let i = 0; i < RECEIVED_PACKETS; i++) {
      const vectorAt = VECTORS_AT + i * IOVEC_BYTES;
      block.writeVector(vectorAt, DATA_AT + i * SLOT_BYTES, SLOT_BYTES);
      block.writeMessage(MESSAGES_AT + i * MMSGHDR_BYTES, NAMES_AT + i * NAME_BYTES, NAME_BYTES, vectorAt, 1);
    }
    this.#block = block;
    this.bytes = block.bytes;
    this.#messages = block.pointer(MESSAGES_AT);
  }

  /**
   * Takes what has arrived.
   * @param fileDescriptor an open UDP socket
   * @returns packets received, 0 when there was none or the call failed
   */
  receive(fileDescriptor: number): number {
    const count = this.#calls.recvmmsg(fileDescriptor, this.#messages, RECEIVED_PACKETS, MESSAGE_FLAGS);
    if (count <= 0) return 0;
    const { words } = this.#block;
    // The kernel has written how long each address is; the next call is told again what room there is.
    for (let i = 0; i < count; i++) words[(MESSAGES_AT + i * MMSGHDR_BYTES + 8) >>> 2] = NAME_BYTES;
    return count;
  }

  /** Where the packet of this index begins in `bytes`. */
  start(index: number): number {
    return DATA_AT + index * SLOT_BYTES;
  }

  /** Where it ends. */
  end(index: number): number {
    return DATA_AT + index * SLOT_BYTES + this.#block.words[(MESSAGES_AT + index * MMSGHDR_BYTES + 56) >>> 2]!;
  }

  /** Whether the kernel had to cut the packet. */
  isTruncated(index: number): boolean {
    return (this.#block.words[(MESSAGES_AT + index * MMSGHDR_BYTES + 48) >>> 2]! & TRUNCATED) !== 0;
  }

  /** Who sent it; undefined when the kernel names no address that can be answered. */
  source(index: number): DatagramTarget | undefined {
    return this.#sources.ofSocketAddress(this.bytes, this.#block.words, NAMES_AT + index * NAME_BYTES);
  }
}
