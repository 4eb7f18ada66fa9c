import { nodeSctpCrypto } from '../../src/io/sctp-crypto.ts';
import { parseForwardTsn, writeForwardTsn } from '../../src/protocol/sctp/forward-tsn-chunk.ts';
import { writeChecksum } from '../../src/protocol/sctp/packet-builder.ts';
import { parseReConfig, writeReConfig } from '../../src/protocol/sctp/re-config-chunk.ts';
import { SctpAssociation } from '../../src/protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../src/protocol/sctp/sctp-event.ts';
import { parseSetupChunk, writeSetupChunk } from '../../src/protocol/sctp/setup-chunk.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'sctp';

/** What the first byte chooses. */
const MODE = {
  interleaving: 1,
  paused: 2,
  notStarted: 4,
  cookieWait: 8,
  withData: 16,
  asIs: 32,
  answered: 64,
} as const;

const WINDOW_BYTES = 20_000;
const MAX_MESSAGE_BYTES = 3000;
const INITIAL_TSN = 1000;
const RANDOM_FROM = 0x10;

/**
 * First byte: see `MODE`. Then packets, each behind its length in 16 bits; an empty one lets the next timeout come. They
 * go to an association whose first TSNs, its own and the peer's, are 1000; ports, tag and checksum are made right unless
 * the mode says `asIs`. What it sends while it is being set up, or always with `answered`, goes to a real peer and the
 * answers come back; else to nobody, since a real peer ends what it is told wrong things of.
 */
export function run(bytes: Uint8Array): void {
  const mode = bytes[0] ?? 0;
  const pair = new FuzzedPair(mode);
  for (let at = 1; at + 2 <= bytes.length; ) {
    const sizeBytes = (bytes[at]! << 8) | bytes[at + 1]!;
    const packet = bytes.slice(at + 2, at + 2 + sizeBytes);
    at += 2 + sizeBytes;
    if (packet.length === 0) pair.passTime();
    else pair.inject(packet, (mode & MODE.asIs) !== 0);
    checkCodecs(packet);
  }
  for (let i = 0; i < 5; i++) pair.passTime();
}

class FuzzedPair {
  readonly #fuzzed: SctpAssociation;
  readonly #peer: SctpAssociation;
  #nowMs = 1000;
  #fuzzedTag = 0;
  #isAnswered = true;
  /** Packets handed over so far: a loop without end is a bug. */
  #packets = 0;

  constructor(mode: number) {
    let next = RANDOM_FROM;
    const options = {
      crypto: { ...nodeSctpCrypto, randomBytes: (sizeBytes: number) => new Uint8Array(sizeBytes).fill(next++) },
      interleaving: (mode & MODE.interleaving) !== 0,
      receiveWindowBytes: WINDOW_BYTES,
      maxReceiveMessageBytes: MAX_MESSAGE_BYTES,
      initialTsn: INITIAL_TSN,
      maxRetransmissions: 4,
    };
    this.#fuzzed = new SctpAssociation(options);
    this.#peer = new SctpAssociation(options);
    if ((mode & MODE.paused) !== 0) this.#fuzzed.pauseReceiving();
    if ((mode & MODE.notStarted) !== 0) return;
    const events = this.#fuzzed.start(this.#nowMs);
    if ((mode & MODE.cookieWait) !== 0) {
      this.#learnTag(events);
      return;
    }
    this.#exchange(events, this.#peer);
    if (this.#fuzzed.state !== 'established') throw new RangeError('the pair is not connected');
    this.#isAnswered = (mode & MODE.answered) !== 0;
    if ((mode & MODE.withData) === 0) return;
    for (const maxRetransmits of [0, 10]) {
      // Lost: what acknowledges it is injected.
      this.#check(this.#fuzzed.sendMessage(maxRetransmits, 53, new Uint8Array(3000), { maxRetransmits }, this.#nowMs));
    }
    this.#check(this.#fuzzed.resetStreams([0], this.#nowMs));
  }

  inject(packet: Uint8Array, isAsIs: boolean): void {
    if (!isAsIs && packet.length >= 12) {
      packet.set([0x13, 0x88, 0x13, 0x88]);
      const tag = packet[12] === 1 ? 0 : this.#fuzzedTag;
      packet.set([tag >>> 24, tag >>> 16, tag >>> 8, tag], 4);
      writeChecksum(packet);
    }
    this.#nowMs += 7;
    this.#packets = 0;
    this.#exchange(this.#fuzzed.receive(packet, this.#nowMs), this.#peer);
  }

  passTime(): void {
    const atMs = this.#fuzzed.nextTimeoutMs();
    if (atMs === undefined) return;
    this.#nowMs = Math.max(this.#nowMs, atMs);
    this.#packets = 0;
    this.#exchange(this.#fuzzed.handleTimeout(this.#nowMs), this.#peer);
    const nextMs = this.#fuzzed.nextTimeoutMs();
    if (nextMs !== undefined && nextMs <= this.#nowMs) throw new RangeError('a timeout was handled and is due again');
  }

  /** Hands packets over and back until both are silent. */
  #exchange(events: readonly SctpEvent[], to: SctpAssociation): void {
    if (to === this.#peer) this.#check(events);
    for (const event of events) {
      if (event.type !== 'send') continue;
      if (to === this.#peer) this.#learnTag([event]);
      if (!this.#isAnswered) continue;
      if (++this.#packets > 2000) throw new RangeError('two associations talk without end');
      this.#exchange(to.receive(event.bytes, this.#nowMs), to === this.#peer ? this.#fuzzed : this.#peer);
    }
  }

  /** From INIT and INIT ACK of the fuzzed one. */
  #learnTag(events: readonly SctpEvent[]): void {
    for (const event of events) {
      if (event.type !== 'send' || (event.bytes[12] !== 1 && event.bytes[12] !== 2)) continue;
      if (event.bytes[12] === 2 && this.#fuzzed.state === 'established') continue;
      this.#fuzzedTag = new DataView(event.bytes.buffer, event.bytes.byteOffset + 16, 4).getUint32(0);
    }
  }

  #check(events: readonly SctpEvent[]): void {
    const { heldBytes, bytesInFlight } = this.#fuzzed.statistics;
    // One message beyond the window, and the overheads of its fragments.
    if (heldBytes > WINDOW_BYTES + 70 * MAX_MESSAGE_BYTES || heldBytes < 0) throw new RangeError(`${heldBytes} held`);
    if (bytesInFlight < 0 || this.#fuzzed.bufferedBytes < 0) throw new RangeError('less than nothing is sent');
    for (const event of events) {
      if (event.type === 'message' && event.bytes.length > MAX_MESSAGE_BYTES)
        throw new RangeError('too large a message');
      if (event.type === 'send' && event.bytes.length > 1160) throw new RangeError('too large a packet');
    }
  }
}

/** What is read from a packet taken for one chunk is the same when it is written and read again. */
function checkCodecs(packet: Uint8Array): void {
  const setup = parseSetupChunk(packet, 0, packet.length);
  if (setup !== undefined) {
    const written = writeSetupChunk('initAck', { ...setup, unrecognized: [] });
    const again = parseSetupChunk(written, 0, written.length);
    if (again === undefined) throw new RangeError('a chunk of the setup is not read again');
    expectSameBytes(writeSetupChunk('initAck', again), written, 'chunks of the setup');
  }
  for (const kind of ['forwardTsn', 'iForwardTsn'] as const) {
    const forward = parseForwardTsn(packet, 0, packet.length);
    if (forward === undefined) continue;
    const written = writeForwardTsn(kind, forward);
    const again = parseForwardTsn(written, 0, written.length);
    if (again === undefined) throw new RangeError('a FORWARD-TSN is not read again');
    expectSameBytes(writeForwardTsn(kind, again), written, 'FORWARD-TSNs');
  }
  const parameters = parseReConfig(packet, 0, packet.length);
  if (parameters === undefined || parameters.length === 0) return;
  const written = writeReConfig(parameters);
  const again = parseReConfig(written, 0, written.length);
  if (again === undefined) throw new RangeError('a RE-CONFIG is not read again');
  expectSameBytes(writeReConfig(again), written, 'RE-CONFIGs');
}
