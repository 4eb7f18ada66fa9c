import { DATA_FLAG } from './chunk-type.ts';
import type { DataHeader } from './data-chunk.ts';
import type { SkippedStream } from './forward-tsn-chunk.ts';
import { FragmentRuns, type WholeMessage } from './fragment-runs.ts';
import { InboundStreams } from './inbound-streams.ts';
import { HELD_CHUNK_OVERHEAD_BYTES } from './sctp-limits.ts';

/** Messages out of chunks. Whole messages that are next in their stream, or unordered, go into `ready`. */
export interface Reassembly {
  /** Whole messages to deliver, in order; the owner empties it. */
  readonly ready: WholeMessage[];
  /** What is held takes so much of the receive window, bytes. */
  readonly heldBytes: number;
  /**
   * Adds a chunk that has not come before; `index` is that of its TSN. The payload is copied. False when its message
   * would be longer than allowed.
   */
  add(index: number, header: DataHeader, bytes: Uint8Array): boolean;
  /** The peer gave up TSNs after index `from` up to `to`, and what `skipped` names. */
  forward(from: number, to: number, skipped: readonly SkippedStream[]): void;
  /** Streams whose sequence numbers start again; empty for all. */
  reset(streamIds: readonly number[]): void;
}

const WHOLE = DATA_FLAG.begin | DATA_FLAG.end;

function singleMessage(header: DataHeader, bytes: Uint8Array): WholeMessage {
  return {
    streamId: header.streamId,
    isUnordered: (header.flags & DATA_FLAG.unordered) !== 0,
    sequence: header.sequence,
    ppid: header.ppid,
    bytes: copyOf(header, bytes),
    fragments: 1,
  };
}

function copyOf(header: DataHeader, bytes: Uint8Array): Uint8Array {
  // Not `slice`, which for a Node buffer is a view.
  const copy = new Uint8Array(header.payloadEnd - header.payloadStart);
  copy.set(bytes.subarray(header.payloadStart, header.payloadEnd));
  return copy;
}

/** Reassembly of DATA chunks (RFC 9260 §6.9): fragments of a message have TSNs one after another. */
export class DataReassembly implements Reassembly {
  readonly ready: WholeMessage[] = [];
  readonly #maxMessageBytes: number;
  readonly #runs = new FragmentRuns();
  readonly #streams = new InboundStreams(16);
  #fragmentBytes = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  get heldBytes(): number {
    return this.#fragmentBytes + this.#streams.heldBytes;
  }

  add(index: number, header: DataHeader, bytes: Uint8Array): boolean {
    const { flags } = header;
    if ((flags & WHOLE) === WHOLE) {
      if (header.payloadEnd - header.payloadStart > this.#maxMessageBytes) return false;
      this.#deliver(singleMessage(header, bytes));
      return true;
    }
    const dropped = this.#runs.takeOrphan(index, flags);
    if (dropped !== undefined) {
      this.#fragmentBytes -= dropped.sizeBytes + HELD_CHUNK_OVERHEAD_BYTES * dropped.fragments;
      return true;
    }
    const payload = copyOf(header, bytes);
    const { streamId, ppid, sequence } = header;
    const run = this.#runs.add(index, { flags, streamId, ssn: sequence, ppid, payload });
    this.#fragmentBytes += payload.length + HELD_CHUNK_OVERHEAD_BYTES;
    if (run.sizeBytes > this.#maxMessageBytes) return false;
    if (this.#runs.isWhole(run)) {
      const message = this.#runs.take(run);
      this.#fragmentBytes -= message.bytes.length + HELD_CHUNK_OVERHEAD_BYTES * message.fragments;
      this.#deliver(message);
    }
    return true;
  }

  forward(from: number, to: number, skipped: readonly SkippedStream[]): void {
    const { sizeBytes, fragments } = this.#runs.discard(from, to);
    this.#fragmentBytes -= sizeBytes + HELD_CHUNK_OVERHEAD_BYTES * fragments;
    for (const { streamId, sequence } of skipped) this.#streams.skip(streamId, sequence, this.ready);
  }

  reset(streamIds: readonly number[]): void {
    this.#streams.reset(streamIds);
  }

  #deliver(message: WholeMessage): void {
    if (message.isUnordered) this.ready.push(message);
    else this.#streams.add(message, this.ready);
  }
}

/** A message of I-DATA chunks that is not whole. */
interface PartialMessage {
  readonly streamId: number;
  readonly isUnordered: boolean;
  readonly mid: number;
  ppid: number;
  /** FSN of the fragment with E, −1 until it came. */
  lastFsn: number;
  sizeBytes: number;
  readonly fragments: Map<number, Uint8Array>;
}

/** Reassembly of I-DATA chunks (RFC 8260 §2.1): a message is named by stream, order and MID, its fragments by FSN. */
export class InterleavedReassembly implements Reassembly {
  readonly ready: WholeMessage[] = [];
  readonly #maxMessageBytes: number;
  readonly #streams = new InboundStreams(32);
  /** By stream, unordered ones at `streamId + 65536`; then by MID. */
  readonly #partial = new Map<number, Map<number, PartialMessage>>();
  #fragmentBytes = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  get heldBytes(): number {
    return this.#fragmentBytes + this.#streams.heldBytes;
  }

  add(_index: number, header: DataHeader, bytes: Uint8Array): boolean {
    const sizeBytes = header.payloadEnd - header.payloadStart;
    if ((header.flags & WHOLE) === WHOLE) {
      if (sizeBytes > this.#maxMessageBytes) return false;
      this.#deliver(singleMessage(header, bytes));
      return true;
    }
    const message = this.#message(header);
    if (message.sizeBytes + sizeBytes > this.#maxMessageBytes) return false;
    if (message.fragments.has(header.fsn)) return true;
    message.fragments.set(header.fsn, copyOf(header, bytes));
    message.sizeBytes += sizeBytes;
    this.#fragmentBytes += sizeBytes + HELD_CHUNK_OVERHEAD_BYTES;
    if ((header.flags & DATA_FLAG.begin) !== 0) message.ppid = header.ppid;
    if ((header.flags & DATA_FLAG.end) !== 0) message.lastFsn = header.fsn;
    if (message.fragments.size === message.lastFsn + 1) this.#finish(message);
    return true;
  }

  forward(_from: number, _to: number, skipped: readonly SkippedStream[]): void {
    for (const { streamId, isUnordered, sequence } of skipped) {
      const messages = this.#partial.get(isUnordered ? streamId + 65_536 : streamId);
      if (messages !== undefined) {
        // 2^31 MIDs ahead and more is behind.
        for (const message of messages.values()) if (((sequence - message.mid) | 0) >= 0) this.#drop(message);
      }
      if (!isUnordered) this.#streams.skip(streamId, sequence, this.ready);
    }
  }

  reset(streamIds: readonly number[]): void {
    this.#streams.reset(streamIds);
    const ids = streamIds.length === 0 ? [...this.#partial.keys()] : streamIds.flatMap((id) => [id, id + 65_536]);
    for (const id of ids) {
      const messages = this.#partial.get(id);
      if (messages !== undefined) for (const message of messages.values()) this.#drop(message);
    }
  }

  #message(header: DataHeader): PartialMessage {
    const isUnordered = (header.flags & DATA_FLAG.unordered) !== 0;
    const key = isUnordered ? header.streamId + 65_536 : header.streamId;
    let messages = this.#partial.get(key);
    if (messages === undefined) {
      messages = new Map();
      this.#partial.set(key, messages);
    }
    let message = messages.get(header.sequence);
    if (message === undefined) {
      message = {
        streamId: header.streamId,
        isUnordered,
        mid: header.sequence,
        ppid: 0,
        lastFsn: -1,
        sizeBytes: 0,
        fragments: new Map(),
      };
      messages.set(header.sequence, message);
    }
    return message;
  }

  #finish(message: PartialMessage): void {
    const { streamId, isUnordered, mid, ppid, fragments } = message;
    const bytes = new Uint8Array(message.sizeBytes);
    let at = 0;
    for (let fsn = 0; fsn <= message.lastFsn; fsn++) {
      const payload = fragments.get(fsn);
      // As many fragments as there are numbers, but not these: nothing the peer can repair.
      if (payload === undefined) return;
      bytes.set(payload, at);
      at += payload.length;
    }
    const whole = { streamId, isUnordered, sequence: mid, ppid, bytes, fragments: fragments.size };
    this.#drop(message);
    this.#deliver(whole);
  }

  #drop(message: PartialMessage): void {
    const key = message.isUnordered ? message.streamId + 65_536 : message.streamId;
    const messages = this.#partial.get(key)!;
    messages.delete(message.mid);
    if (messages.size === 0) this.#partial.delete(key);
    this.#fragmentBytes -= message.sizeBytes + HELD_CHUNK_OVERHEAD_BYTES * message.fragments.size;
  }

  #deliver(message: WholeMessage): void {
    if (message.isUnordered) this.ready.push(message);
    else this.#streams.add(message, this.ready);
  }
}
