import { rtpFramingOn } from '../../media/renditions/rtp-framing.ts';
import type { Framing } from '../../media/viewer.ts';
import { writeInterleavedFrame } from '../../protocol/rtsp/rtsp-message-writer.ts';
import type { Delivery } from './delivery.ts';

/** The connection packets are interleaved into. */
export interface InterleavedOutput {
  /** Takes bytes that are shared and must not be written into. */
  send(bytes: Uint8Array): void;
  readonly bufferedBytes: number;
  /** Cuts the connection. */
  abort(): void;
}

/** Channels of one track. */
export interface ChannelPair {
  readonly rtp: number;
  readonly rtcp: number;
}

/** Reports to a client that takes nothing are of no use: none are written while more than this waits, bytes. */
const MAX_WAITING_BEFORE_REPORT_BYTES = 262_144;

/** Packets as `$` frames in the RTSP connection itself (RFC 2326 §10.12). */
export class InterleavedDelivery implements Delivery {
  framing: Framing;
  onDrain: (() => void) | undefined;
  readonly #output: InterleavedOutput;
  readonly #channels: readonly (ChannelPair | undefined)[];
  #rtpChannels: readonly (number | undefined)[];
  readonly #onClosed: () => void;
  #closed = false;

  /**
   * @param channels of each track of the media session; undefined for those that were not set up
   * @param onClosed called once
   */
  constructor(output: InterleavedOutput, channels: readonly (ChannelPair | undefined)[], onClosed: () => void) {
    this.#output = output;
    this.#onClosed = onClosed;
    this.#channels = channels;
    this.#rtpChannels = channels.map((pair) => pair?.rtp);
    this.framing = rtpFramingOn(this.#rtpChannels);
  }

  get bufferedBytes(): number {
    return this.#output.bufferedBytes;
  }

  rtpChannel(track: number): number | undefined {
    return this.#rtpChannels[track];
  }

  setTracks(tracks: ReadonlySet<number>): void {
    this.#rtpChannels = this.#channels.map((pair, i) => (tracks.has(i) ? pair?.rtp : undefined));
    this.framing = rtpFramingOn(this.#rtpChannels);
  }

  write(frames: Uint8Array): void {
    if (!this.#closed) this.#output.send(frames);
  }

  writeRtcp(track: number, packet: Uint8Array): void {
    const channel = this.#channels[track]?.rtcp;
    if (channel === undefined || this.#closed) return;
    if (this.#output.bufferedBytes > MAX_WAITING_BEFORE_REPORT_BYTES) return;
    this.#output.send(writeInterleavedFrame(channel, packet));
  }

  writeBye(track: number, packet: Uint8Array): void {
    this.writeRtcp(track, packet);
  }

  /** The connection has taken everything. */
  drained(): void {
    if (!this.#closed) this.onDrain?.();
  }

  abort(): void {
    this.#output.abort();
  }

  close(onFlushed: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onDrain = undefined;
    this.#onClosed();
    onFlushed();
  }
}
