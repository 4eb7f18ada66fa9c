/**
 * Sends many packets to many targets by few system calls on Linux: `sendmmsg(2)` through `node:ffi`. The packets of one
 * target are brought together, and runs of one size are given to the kernel as one to cut (`UDP_SEGMENT`, udp(7)).
 *
 * The packets are written into this file's own block of memory, which is made once, never resized, and all that is pointed at.
 */
import { MAX_QUEUED_PACKETS, QUEUE_BYTES, type QueuedPackets } from '../datagram-queue.ts';
import type { DatagramTarget } from '../datagram-socket.ts';
import type { LinuxSocketCalls } from './linux-socket-calls.ts';
import {
  CONTROL_BYTES,
  EAGAIN,
  EINTR,
  IOVEC_BYTES,
  MAX_SEGMENT_BYTES,
  MAX_SEGMENTED_BYTES,
  MAX_SEGMENTS,
  MESSAGE_FLAGS,
  MessageBlock,
  MMSGHDR_BYTES,
  NAME_BYTES,
  NO_MEMORY,
  NO_SEGMENTATION,
} from './message-block.ts';

const MESSAGES_AT = 0;
/** One message more: for a packet that has to be sent alone. */
const SINGLE_MESSAGE_AT: number = MAX_QUEUED_PACKETS * MMSGHDR_BYTES;
const VECTORS_AT: number = SINGLE_MESSAGE_AT + MMSGHDR_BYTES;
const CONTROLS_AT: number = VECTORS_AT + MAX_QUEUED_PACKETS * IOVEC_BYTES;
const NAMES_AT: number = CONTROLS_AT + MAX_QUEUED_PACKETS * CONTROL_BYTES;
const DATA_AT: number = NAMES_AT + MAX_QUEUED_PACKETS * NAME_BYTES;
const NONE = -1;

/** Why the kernel did not take a message. */
type Outcome = 'interrupted' | 'socket-full' | 'no-memory' | 'refused' | 'not-segmented';

/** Sends what waits in one queue. */
export class LinuxQueueSender {
  /** Where the queue's packets are written: memory of `QUEUE_BYTES`. */
  readonly arena: Uint8Array;
  /** Of the last `send`. */
  sentPackets = 0;
  sentBytes = 0;
  droppedPackets = 0;
  failedPackets = 0;
  readonly #calls: Pick<LinuxSocketCalls, 'sendmmsg' | 'errno'>;
  readonly #block: MessageBlock;
  /** Groups by target: first and last packet of each, and of each packet the next one of its group. */
  readonly #groupTargets: (DatagramTarget | undefined)[] = Array.from({ length: MAX_QUEUED_PACKETS }, () => undefined);
  #groupCount = 0;
  readonly #groupFirst: Int16Array = new Int16Array(MAX_QUEUED_PACKETS);
  readonly #groupLast: Int16Array = new Int16Array(MAX_QUEUED_PACKETS);
  readonly #next: Int16Array = new Int16Array(MAX_QUEUED_PACKETS);
  /** Of each message: its group, its first vector (one more at the end), and its bytes. */
  readonly #messageGroup: Int16Array = new Int16Array(MAX_QUEUED_PACKETS);
  readonly #messageVector: Int16Array = new Int16Array(MAX_QUEUED_PACKETS + 1);
  readonly #messageBytes: Int32Array = new Int32Array(MAX_QUEUED_PACKETS);
  #messageCount = 0;
  #vectorCount = 0;

  constructor(calls: Pick<LinuxSocketCalls, 'sendmmsg' | 'errno' | 'addressOf'>) {
    this.#calls = calls;
    this.#block = new MessageBlock(DATA_AT + QUEUE_BYTES, (bytes) => calls.addressOf(bytes));
    this.arena = this.#block.bytes.subarray(DATA_AT);
  }

  /**
   * Sends all packets, those of each target in order. What the kernel has no room for is dropped, what it refuses for one
   * target does not stop the others.
   * @param fileDescriptor an open, non-blocking UDP socket
   * @param packets whose bytes are this sender's `arena`
   */
  send(fileDescriptor: number, packets: QueuedPackets): void {
    this.sentPackets = 0;
    this.sentBytes = 0;
    this.droppedPackets = 0;
    this.failedPackets = 0;
    this.#group(packets);
    this.#writeMessages(packets);
    this.#sendMessages(fileDescriptor);
    this.#groupTargets.fill(undefined, 0, this.#groupCount);
    this.#groupCount = 0;
  }

  #group(packets: QueuedPackets): void {
    const { count, targets } = packets;
    let last: DatagramTarget | undefined;
    let group = 0;
    for (let i = 0; i < count; i++) {
      const target = targets[i]!;
      this.#next[i] = NONE;
      if (target !== last) {
        last = target;
        // Its number is of this time only where it stands there.
        if (this.#groupTargets[target.group] !== target) {
          group = this.#groupCount++;
          this.#groupTargets[group] = target;
          target.group = group;
          this.#groupFirst[group] = i;
          this.#groupLast[group] = i;
          continue;
        }
        group = target.group;
      }
      this.#next[this.#groupLast[group]!] = i;
      this.#groupLast[group] = i;
    }
  }

  #writeMessages(packets: QueuedPackets): void {
    this.#messageCount = 0;
    this.#vectorCount = 0;
    for (let group = 0; group < this.#groupCount; group++) {
      const { socketAddress } = this.#groupTargets[group]!;
      const nameAt = NAMES_AT + group * NAME_BYTES;
      // A loop: for so few bytes `set` takes longer.
      for (let i = 0; i < socketAddress.length; i++) this.#block.bytes[nameAt + i] = socketAddress[i]!;
      let packet = this.#groupFirst[group]!;
      while (packet !== NONE) packet = this.#writeMessage(packets, packet, group);
    }
    this.#messageVector[this.#messageCount] = this.#vectorCount;
  }

  /** Writes the message that begins with `packet`. @returns the packet the next one begins with */
  #writeMessage(packets: QueuedPackets, first: number, group: number): number {
    const block = this.#block;
    const { offsets, sizes } = packets;
    const { isSegmented, socketAddress } = this.#groupTargets[group]!;
    const message = this.#messageCount++;
    const firstVector = this.#vectorCount;
    const segmentBytes = sizes[first]!;
    // Of what peers send too long it is not concluded that the route takes no segments.
    const most = isSegmented && segmentBytes <= MAX_SEGMENT_BYTES ? MAX_SEGMENTS : 1;
    let packet = first;
    let sizeBytes = 0;
    let count = 0;
    // All of one size but the last, which may be shorter.
    while (true) {
      const packetBytes = sizes[packet]!;
      block.writeVector(VECTORS_AT + (firstVector + count) * IOVEC_BYTES, DATA_AT + offsets[packet]!, packetBytes);
      sizeBytes += packetBytes;
      count++;
      packet = this.#next[packet]!;
      if (packet === NONE || count === most || packetBytes < segmentBytes) break;
      const nextBytes = sizes[packet]!;
      if (nextBytes > segmentBytes || sizeBytes + nextBytes > MAX_SEGMENTED_BYTES) break;
    }
    const at = MESSAGES_AT + message * MMSGHDR_BYTES;
    const vectorAt = VECTORS_AT + firstVector * IOVEC_BYTES;
    block.writeMessage(at, NAMES_AT + group * NAME_BYTES, socketAddress.length, vectorAt, count);
    if (count > 1) block.writeSegmentation(at, CONTROLS_AT + message * CONTROL_BYTES, segmentBytes);
    this.#messageGroup[message] = group;
    this.#messageVector[message] = firstVector;
    this.#messageBytes[message] = sizeBytes;
    this.#vectorCount = firstVector + count;
    return packet;
  }

  #sendMessages(fileDescriptor: number): void {
    const count = this.#messageCount;
    let message = 0;
    while (message < count) {
      const pointer = this.#block.pointer(MESSAGES_AT + message * MMSGHDR_BYTES);
      const taken = this.#calls.sendmmsg(fileDescriptor, pointer, count - message, MESSAGE_FLAGS);
      if (taken > 0) {
        const end = message + taken;
        this.sentPackets += this.#messageVector[end]! - this.#messageVector[message]!;
        for (; message < end; message++) this.sentBytes += this.#messageBytes[message]!;
        continue;
      }
      const vectors = this.#messageVector[message + 1]! - this.#messageVector[message]!;
      const outcome = this.#outcome(vectors);
      if (outcome === 'interrupted') continue;
      if (outcome === 'socket-full') break;
      if (outcome === 'not-segmented') {
        this.#groupTargets[this.#messageGroup[message]!]!.isSegmented = false;
        if (!this.#sendOneByOne(fileDescriptor, message)) break;
      } else if (outcome === 'no-memory') {
        this.droppedPackets += vectors;
      } else {
        this.failedPackets += vectors;
      }
      message++;
    }
    // The socket's buffer is full, for every target.
    if (message < count) this.droppedPackets += this.#vectorCount - this.#messageVector[message]!;
  }

  /** Sends the packets of a message whose route takes no segments. @returns false when the socket is full */
  #sendOneByOne(fileDescriptor: number, message: number): boolean {
    const block = this.#block;
    const end = this.#messageVector[message + 1]!;
    const group = this.#messageGroup[message]!;
    const nameLength = this.#groupTargets[group]!.socketAddress.length;
    const pointer = block.pointer(SINGLE_MESSAGE_AT);
    for (let vector = this.#messageVector[message]!; vector < end; ) {
      const vectorAt = VECTORS_AT + vector * IOVEC_BYTES;
      block.writeMessage(SINGLE_MESSAGE_AT, NAMES_AT + group * NAME_BYTES, nameLength, vectorAt, 1);
      if (this.#calls.sendmmsg(fileDescriptor, pointer, 1, MESSAGE_FLAGS) > 0) {
        this.sentPackets++;
        this.sentBytes += block.words[(vectorAt + 8) >>> 2]!;
        vector++;
        continue;
      }
      const outcome = this.#outcome(1);
      if (outcome === 'interrupted') continue;
      if (outcome === 'socket-full') {
        // What is left of this message is dropped with those behind it.
        this.#messageVector[message] = vector;
        return false;
      }
      if (outcome === 'no-memory') this.droppedPackets++;
      else this.failedPackets++;
      vector++;
    }
    return true;
  }

  /** What the kernel's last error says of a message of so many packets. */
  #outcome(packets: number): Outcome {
    const errno = this.#calls.errno();
    if (errno === EINTR) return 'interrupted';
    if (errno === EAGAIN) return 'socket-full';
    if (NO_MEMORY.has(errno)) return 'no-memory';
    return packets > 1 && NO_SEGMENTATION.has(errno) ? 'not-segmented' : 'refused';
  }
}
