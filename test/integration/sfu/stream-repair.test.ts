import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import { MAX_NACK_RETRIES } from '../../../src/sfu/streams/nack-generator.ts';
import { PacketStore, STORED_VIDEO_MS } from '../../../src/sfu/streams/packet-store.ts';
import { NO_LAYERS, ReceivedStream } from '../../../src/sfu/streams/received-stream.ts';
import { RetransmissionBuffer } from '../../../src/sfu/streams/retransmission-buffer.ts';
import { SentStream } from '../../../src/sfu/streams/sent-stream.ts';
import { SequenceRewriter } from '../../../src/sfu/streams/sequence-rewriter.ts';
import { packetOf, RTX_STREAM, rtxOf } from './stream-kit.ts';

/** A path on which packets get lost and overtake each other. */
interface Path {
  readonly lossFraction: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly seed: number;
}

/** A sender that leaves out every fifth packet on purpose, a path, and a receiver. */
class Scene {
  readonly sent: SentStream;
  readonly received = new ReceivedStream(RTX_STREAM);
  readonly store = new PacketStore({ maxAgeMs: STORED_VIDEO_MS });
  readonly numbers: SequenceRewriter;
  /** First bytes of payloads by the number they were sent under, and as they were received. */
  readonly sentMarks = new Map<number, number>();
  readonly receivedMarks = new Map<number, number>();
  readonly #path: Path;
  readonly #underWay: { readonly bytes: Uint8Array; readonly atMs: number }[] = [];
  readonly #nacks: { readonly numbers: readonly number[]; readonly atMs: number }[] = [];
  readonly #view = new RtpPacketView();
  #random: number;
  #next = 0;

  constructor(path: Path, firstOutput: number) {
    this.#path = path;
    this.#random = path.seed | 0;
    this.numbers = new SequenceRewriter({ firstOutput });
    this.sent = new SentStream(RTX_STREAM, { buffer: new RetransmissionBuffer(STORED_VIDEO_MS) });
  }

  send(nowMs: number, isLossless: boolean): void {
    const mark = this.#next++;
    const input = (mark + 60_000) & 0xffff;
    if (mark % 5 === 4) {
      this.numbers.drop(input);
      return;
    }
    const packet = packetOf(input, 0, 48);
    const { bytes } = packet;
    bytes[20] = mark;
    bytes[21] = mark >>> 8;
    const storeIndex = this.store.append(bytes, 0, bytes.length, nowMs);
    const output = this.numbers.rewrite(input);
    packet.sequenceNumber = output;
    this.sentMarks.set(output, mark);
    this.sent.sent(bytes.length, 48, 0, nowMs);
    this.sent.buffer!.add(output, storeIndex, 0, 0, nowMs);
    this.#transmit(bytes, nowMs, isLossless);
  }

  step(nowMs: number): void {
    for (const { numbers, atMs } of this.#nacks) if (atMs === nowMs) this.#answer(numbers, nowMs);
    for (const { bytes, atMs } of this.#underWay) if (atMs === nowMs) this.#receive(bytes, nowMs);
    const numbers = this.received.takeNack(nowMs);
    if (numbers.length > 0 && !this.#isLost()) this.#nacks.push({ numbers, atMs: nowMs + this.#path.delayMs });
  }

  #answer(numbers: readonly number[], nowMs: number): void {
    this.sent.receiveNack(numbers.length);
    for (const number of numbers) {
      if (this.sent.answer(number, nowMs) !== 'allowed') continue;
      expect(this.store.look(this.sent.buffer!.storeIndex, this.#view, nowMs)).toBe(true);
      // What lies in the store stays as it came: the copy is rewritten.
      const copy = this.#view.bytes.slice(this.#view.start, this.#view.end);
      this.#view.look(copy);
      this.#view.sequenceNumber = number;
      const rtx = rtxOf(this.#view, this.sent.takeRtxSequenceNumber());
      this.sent.resent(rtx.end, 50, nowMs);
      this.#transmit(rtx.bytes, nowMs, false);
    }
  }

  #receive(bytes: Uint8Array, nowMs: number): void {
    const view = this.#view;
    expect(view.look(bytes)).toBe(true);
    const isForwarded =
      view.ssrc === RTX_STREAM.rtxSsrc
        ? this.received.restore(view, nowMs) && this.received.receiveRepair(view, NO_LAYERS, nowMs)
        : this.received.receive(view, NO_LAYERS, nowMs);
    if (!isForwarded) return;
    expect(this.receivedMarks.has(view.sequenceNumber)).toBe(false);
    this.receivedMarks.set(view.sequenceNumber, view.bytes[view.start + 20]! | (view.bytes[view.start + 21]! << 8));
  }

  #transmit(bytes: Uint8Array, nowMs: number, isLossless: boolean): void {
    if (!isLossless && this.#isLost()) return;
    const jitterMs = isLossless ? 0 : Math.floor(this.#roll() * this.#path.jitterMs);
    this.#underWay.push({ bytes, atMs: nowMs + this.#path.delayMs + jitterMs });
  }

  #isLost(): boolean {
    return this.#roll() < this.#path.lossFraction;
  }

  #roll(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) | 0;
    return (this.#random >>> 8) / 2 ** 24;
  }
}

describe('repair of a stream', () => {
  const path = fc.record({
    lossFraction: fc.double({ min: 0, max: 0.3, noNaN: true }),
    delayMs: fc.integer({ min: 1, max: 60 }),
    jitterMs: fc.integer({ min: 0, max: 15 }),
    seed: fc.integer(),
  });

  it('brings every packet once and as it was, but for those asked for in vain to the end', () => {
    fc.assert(
      fc.property(path, fc.nat(0xffff), (options, firstOutput) => {
        const scene = new Scene(options, firstOutput);
        for (let ms = 0; ms < 4500; ms++) {
          // The first and the last arrive: what is missing at the ends, nobody knows of.
          if (ms <= 2000 && ms % 4 === 0) scene.send(ms, ms === 0 || ms >= 1990);
          scene.step(ms);
        }
        for (const [number, mark] of scene.receivedMarks) expect(scene.sentMarks.get(number)).toBe(mark);
        const missing = scene.sentMarks.size - scene.receivedMarks.size;
        // Lost 30 % of the time on either way, ten requests in vain are less than one in 600.
        expect(missing).toBeLessThanOrEqual(Math.ceil(scene.sentMarks.size * options.lossFraction ** 3));
        const { nackPacketCount, packetsRepaired } = scene.received.stats(4500);
        expect(nackPacketCount).toBeGreaterThanOrEqual(missing * MAX_NACK_RETRIES);
        expect(scene.sent.stats(4500).packetsRetransmitted).toBeGreaterThanOrEqual(packetsRepaired);
        expect(scene.store.capacityBytes).toBeLessThanOrEqual(64 * 1024);
      }),
      { numRuns: 25 },
    );
  });

  it('asks for nothing that was left out on purpose', () => {
    const scene = new Scene({ lossFraction: 0, delayMs: 10, jitterMs: 0, seed: 1 }, 0);
    for (let ms = 0; ms < 3000; ms++) {
      if (ms % 4 === 0) scene.send(ms, false);
      scene.step(ms);
    }
    expect(scene.received.stats(3000)).toMatchObject({ nackCount: 0, packetsLost: 0, packetCount: 599 });
  });
});
