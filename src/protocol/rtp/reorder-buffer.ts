import { diff16 } from '../../wire/sequence-number.ts';
import type { RtpPacket } from './rtp-packet.ts';

/** A step forward of this many packets or more is a restart, when the next packet confirms it (RFC 3550 §A.1). */
export const MAX_DROPOUT = 3000;

/**
 * Packets up to this far behind are late or come twice; one further behind is a restart, when the next confirms it (§A.1).
 * The 100 of the RFC are 20 ms of a camera with 50 Mb/s, and links hold bursts back for longer than that.
 */
export const MAX_MISORDER = 512;

/** Default of `ReorderBufferOptions.maxPackets`. */
export const DEFAULT_MAX_HELD_PACKETS = 1024;

/** Default of `ReorderBufferOptions.maxBytes`. */
export const DEFAULT_MAX_HELD_BYTES: number = 2 * 1024 * 1024;

/** Default of `ReorderBufferOptions.maxWaitMs`. */
export const DEFAULT_MAX_WAIT_MS = 100;

/** Packets whose fate is remembered, so that those that come twice can be told from those that come late. */
const HISTORY: number = MAX_MISORDER;

/** Gets the packets in order. */
export interface ReorderSink {
  /**
   * The next packet; its views are good during the call.
   * @param afterLoss packets are missing before it
   */
  onPacket(packet: RtpPacket, afterLoss: boolean): void;
  /** The source began anew or another took its place: packets of `ssrc` follow, with other numbers and timestamps. */
  onRestart(ssrc: number): void;
}

export interface ReorderBufferOptions {
  /** How long a missing packet is waited for, milliseconds, default 100. With 0 none is: for transports that keep the order. */
  readonly maxWaitMs?: number;
  /** Most packets held while one is waited for, default 1024. */
  readonly maxPackets?: number;
  /** Most payload bytes held, default 2 MiB. */
  readonly maxBytes?: number;
}

/** What became of the packets of one source. */
export interface ReorderCounters {
  /** Given up; those that came after all are in `late` too. */
  lost: number;
  /** Came after one that was sent later, and in time. */
  reordered: number;
  /** Came when they had been given up, or had numbers nothing else confirmed; dropped. */
  late: number;
  /** Came twice; dropped. */
  duplicates: number;
  /** Times the source began anew. */
  restarts: number;
}

interface HeldPacket {
  readonly packet: RtpPacket;
  readonly arrivalMs: number;
}

/**
 * Gives packets of one RTP source in the order of their sequence numbers. A packet in order goes straight through; one
 * that comes early is copied and held until those before it have come or have been waited for long enough. Numbers far
 * off, or another SSRC, count only when two packets in a row have them (RFC 3550 §A.1), so that a stray packet does no harm.
 */
export class ReorderBuffer {
  readonly counters: ReorderCounters = { lost: 0, reordered: 0, late: 0, duplicates: 0, restarts: 0 };
  readonly #sink: ReorderSink;
  readonly #maxWaitMs: number;
  readonly #maxPackets: number;
  readonly #maxBytes: number;
  /** By sequence number without an end, in the order of arrival. */
  readonly #held = new Map<number, HeldPacket>();
  #heldBytes = 0;
  #isStarted = false;
  #ssrc = 0;
  /** Number the next packet in order has, counted on without an end. */
  #expected = 0;
  /** Newest number seen. */
  #highest = 0;
  #isAfterLoss = false;
  /** By number modulo `HISTORY`: 1 for what was delivered. */
  readonly #delivered: Uint8Array = new Uint8Array(HISTORY);
  /** A packet that may be the first of a new start. */
  #suspect: RtpPacket | undefined;

  constructor(sink: ReorderSink, options: ReorderBufferOptions = {}) {
    this.#sink = sink;
    this.#maxWaitMs = options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS;
    this.#maxPackets = options.maxPackets ?? DEFAULT_MAX_HELD_PACKETS;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_HELD_BYTES;
  }

  /** Source of the packets; undefined before the first. */
  get ssrc(): number | undefined {
    return this.#isStarted ? this.#ssrc : undefined;
  }

  /** Packets held now. */
  get held(): number {
    return this.#held.size;
  }

  /** Takes a packet, whose views need not outlast the call. */
  receive(packet: RtpPacket, nowMs: number): void {
    if (!this.#isStarted) this.#start(packet.ssrc, packet.sequenceNumber);
    const ahead = diff16(packet.sequenceNumber, this.#expected);
    if (packet.ssrc !== this.#ssrc || ahead >= MAX_DROPOUT || ahead < -MAX_MISORDER) {
      this.#suspectRestart(packet);
      return;
    }
    const index = this.#expected + ahead;
    if (ahead < 0) {
      if (this.#delivered[index & (HISTORY - 1)] === 1) this.counters.duplicates++;
      else this.counters.late++;
      return;
    }
    if (ahead > 0 && this.#held.has(index)) {
      this.counters.duplicates++;
      return;
    }
    if (index < this.#highest) this.counters.reordered++;
    else this.#highest = index;
    if (ahead > 0) {
      this.#held.set(index, { packet: keep(packet), arrivalMs: nowMs });
      this.#heldBytes += packet.payload.length;
    } else {
      this.#deliver(packet);
      if (this.#held.size > 0) this.#deliverRun();
    }
    if (this.#held.size > 0) this.#giveUp(nowMs);
  }

  /** When `handleTimeout` is to be called at the latest, on the clock of `nowMs`; undefined while nothing is held. */
  nextTimeoutMs(): number | undefined {
    return this.#held.size === 0 ? undefined : this.#oldestArrivalMs() + this.#maxWaitMs;
  }

  /** Gives up packets that were waited for long enough. */
  handleTimeout(nowMs: number): void {
    if (this.#held.size > 0) this.#giveUp(nowMs);
  }

  /** No more packets come: gives out what is held. */
  flush(): void {
    while (this.#held.size > 0) this.#skipHole();
  }

  #start(ssrc: number, sequenceNumber: number): void {
    this.#isStarted = true;
    this.#ssrc = ssrc;
    this.#expected = sequenceNumber;
    this.#highest = sequenceNumber;
    this.#delivered.fill(0);
  }

  #suspectRestart(packet: RtpPacket): void {
    const suspect = this.#suspect;
    const step = suspect?.ssrc === packet.ssrc ? diff16(packet.sequenceNumber, suspect.sequenceNumber) : undefined;
    if (suspect === undefined || step !== 1) {
      if (step === 0) {
        this.counters.duplicates++;
        return;
      }
      if (suspect !== undefined) this.counters.late++;
      this.#suspect = keep(packet);
      return;
    }
    this.flush();
    this.#suspect = undefined;
    this.counters.restarts++;
    this.#start(packet.ssrc, suspect.sequenceNumber);
    this.#isAfterLoss = true;
    this.#sink.onRestart(packet.ssrc);
    this.#deliver(suspect);
    this.#highest = this.#expected;
    this.#deliver(packet);
  }

  #deliver(packet: RtpPacket): void {
    const afterLoss = this.#isAfterLoss;
    this.#isAfterLoss = false;
    this.#delivered[this.#expected & (HISTORY - 1)] = 1;
    this.#expected++;
    this.#sink.onPacket(packet, afterLoss);
  }

  /** What follows without a hole. */
  #deliverRun(): void {
    for (;;) {
      const index = this.#expected;
      const held = this.#held.get(index);
      if (held === undefined) return;
      this.#held.delete(index);
      this.#heldBytes -= held.packet.payload.length;
      this.#deliver(held.packet);
    }
  }

  #giveUp(nowMs: number): void {
    while (
      this.#held.size > 0 &&
      (this.#held.size > this.#maxPackets ||
        this.#heldBytes > this.#maxBytes ||
        // The very sum `nextTimeoutMs` tells: a difference may be rounded to just less than the wait.
        nowMs >= this.#oldestArrivalMs() + this.#maxWaitMs)
    ) {
      this.#skipHole();
    }
  }

  /** Goes on with the next packet held: those in front of it are lost. */
  #skipHole(): void {
    // Bounded by MAX_DROPOUT: nothing is held further ahead.
    while (!this.#held.has(this.#expected)) {
      this.#delivered[this.#expected & (HISTORY - 1)] = 0;
      this.#expected++;
      this.counters.lost++;
      this.#isAfterLoss = true;
    }
    this.#deliverRun();
  }

  /** All that is held lies behind the first hole, so that hole is as old as the oldest of it. */
  #oldestArrivalMs(): number {
    for (const { arrivalMs } of this.#held.values()) return arrivalMs;
    return Number.POSITIVE_INFINITY;
  }
}

/** A copy that outlasts the buffer the packet came in. */
function keep(packet: RtpPacket): RtpPacket {
  return { ...packet, payload: packet.payload.slice(), extension: packet.extension?.slice() };
}
