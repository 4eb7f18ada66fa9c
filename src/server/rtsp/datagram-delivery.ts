import type { DatagramSocket, DatagramTarget } from '../../io/datagram-socket.ts';
import { RTP_FRAMING } from '../../media/renditions/rtp-framing.ts';
import { RTP_HEADER_BYTES } from '../../media/renditions/rtp-packet-writer.ts';
import type { Framing } from '../../media/viewer.ts';
import { type DatagramPacer, type DatagramPiece, type PacedSender, piecesPerRound } from './datagram-pacer.ts';
import type { Delivery } from './delivery.ts';

/** Sockets and addresses the datagrams of one track go through. */
export interface DatagramRoute {
  readonly rtpSocket: DatagramSocket;
  /** May change while it is sent to: a client behind a translator shows its real port only later. */
  readonly rtpTarget: DatagramTarget;
  readonly rtcpSocket: DatagramSocket;
  readonly rtcpTarget: DatagramTarget;
}

interface WaitingReport {
  readonly track: number;
  readonly packet: Uint8Array;
}

/**
 * What of each packet goes into a datagram: all of it, or the payload alone where the client wants a transport stream
 * without RTP. There are then no reports either.
 */
type DatagramForm = 'rtp' | 'payload';

/** Packets as UDP datagrams to one client or multicast group, paced. */
export class DatagramDelivery implements Delivery, PacedSender {
  readonly framing: Framing = RTP_FRAMING;
  onDrain: (() => void) | undefined;
  readonly #routes: readonly (DatagramRoute | undefined)[];
  readonly #pacer: DatagramPacer;
  readonly #isRtp: boolean;
  readonly #skippedBytes: number;
  #tracks: ReadonlySet<number>;
  #pieces: DatagramPiece[] = [];
  #sent = 0;
  #perRound = 0;
  #waitingBytes = 0;
  #reports: WaitingReport[] = [];
  #byes: WaitingReport[] = [];
  #isByePlanned = false;
  #closed = false;
  #onFlushed: (() => void) | undefined;

  /** @param routes of each track of the media session; undefined for those that were not set up */
  constructor(routes: readonly (DatagramRoute | undefined)[], pacer: DatagramPacer, form: DatagramForm = 'rtp') {
    this.#routes = routes;
    this.#isRtp = form === 'rtp';
    this.#skippedBytes = this.#isRtp ? 0 : RTP_HEADER_BYTES;
    this.#pacer = pacer;
    this.#tracks = new Set(routes.keys());
  }

  get bufferedBytes(): number {
    return this.#waitingBytes;
  }

  rtpChannel(track: number): number | undefined {
    return this.#tracks.has(track) && this.#routes[track] !== undefined ? track * 2 : undefined;
  }

  setTracks(tracks: ReadonlySet<number>): void {
    this.#tracks = tracks;
  }

  write(frames: Uint8Array): void {
    if (this.#closed) return;
    const wasEmpty = this.#sent === this.#pieces.length;
    const pieces = this.#pacer.piecesOf(frames);
    if (wasEmpty) {
      this.#pieces = [];
      this.#sent = 0;
    }
    this.#pieces.push(...pieces);
    this.#perRound = piecesPerRound(this.#pieces.length - this.#sent);
    this.#waitingBytes += frames.length;
    if (wasEmpty) {
      this.#sendPieces();
      if (this.#sent < this.#pieces.length) this.#pacer.add(this);
    }
  }

  writeRtcp(track: number, packet: Uint8Array): void {
    if (this.#closed || !this.#isRtp) return;
    if (this.#sent === this.#pieces.length) this.#sendReport({ track, packet });
    else this.#reports.push({ track, packet });
  }

  writeBye(track: number, packet: Uint8Array): void {
    if (this.#closed || !this.#isRtp) return;
    this.#byes.push({ track, packet });
    if (this.#sent === this.#pieces.length) this.#planByes();
  }

  sendRound(): boolean {
    this.#sendPieces();
    if (this.#sent < this.#pieces.length) return true;
    for (const report of this.#reports) this.#sendReport(report);
    this.#reports = [];
    this.#planByes();
    if (this.#closed) this.#flushed();
    // From here on it may be written to again, and be added to the pacer again.
    else this.onDrain?.();
    return this.#sent < this.#pieces.length;
  }

  /** Datagrams have no connection that could be cut. */
  abort(): void {}

  close(onFlushed: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onDrain = undefined;
    this.#onFlushed = onFlushed;
    if (this.#sent === this.#pieces.length) this.#flushed();
  }

  #flushed(): void {
    if (this.#byes.length > 0) return;
    this.#onFlushed?.();
    this.#onFlushed = undefined;
  }

  #planByes(): void {
    if (this.#isByePlanned || this.#byes.length === 0) return;
    this.#isByePlanned = true;
    this.#pacer.afterLastPacket(() => {
      this.#isByePlanned = false;
      for (const bye of this.#byes) this.#sendReport(bye);
      this.#byes = [];
      if (this.#sent === this.#pieces.length) this.#flushed();
    });
  }

  #sendPieces(): void {
    const until = Math.min(this.#sent + this.#perRound, this.#pieces.length);
    while (this.#sent < until) {
      const piece = this.#pieces[this.#sent++]!;
      this.#waitingBytes -= piece.bytes.length;
      for (let track = 0; track < this.#routes.length; track++) {
        const route = this.#routes[track];
        if (route === undefined || !this.#tracks.has(track)) continue;
        const batch = piece.batches.of(piece.bytes, track * 2, this.#skippedBytes);
        if (batch.payloadBytes > 0) route.rtpSocket.sendBatch(batch, route.rtpTarget);
      }
    }
    if (this.#sent === this.#pieces.length) this.#waitingBytes = 0;
  }

  #sendReport(report: WaitingReport): void {
    const route = this.#routes[report.track];
    route?.rtcpSocket.send(report.packet, route.rtcpTarget);
  }
}
