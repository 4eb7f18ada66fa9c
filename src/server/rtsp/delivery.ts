import type { Framing } from '../../media/viewer.ts';

/**
 * Where the packets of one client session go: interleaved into its connection, as datagrams, or to a multicast group. It
 * takes what an RTP rendition makes, `$` frames with track `i` on channel 2 × i, joined by `framing`.
 */
export interface Delivery {
  /** How frames are joined for it. Another object after `setTracks`. */
  readonly framing: Framing;
  /** Channel that RTP of a track has in frames joined by `framing`; undefined when the track goes nowhere. */
  rtpChannel(track: number): number | undefined;
  /** Only these tracks are delivered from now on. */
  setTracks(tracks: ReadonlySet<number>): void;
  /** Takes frames joined by `framing`. They are shared and must not be written into. */
  write(frames: Uint8Array): void;
  /** Takes a compound RTCP packet of a track; it leaves behind everything that was written before. */
  writeRtcp(track: number, packet: Uint8Array): void;
  /** Takes the last RTCP packet of a track. It is sent when the client has had time to take what came before. */
  writeBye(track: number, packet: Uint8Array): void;
  /** Bytes written that the network has not taken yet. */
  readonly bufferedBytes: number;
  /** Called when everything was taken. */
  onDrain: (() => void) | undefined;
  /** The client can't be served any more: its connection, when packets go into it, is cut. */
  abort(): void;
  /**
   * Nothing more is written; what waits still goes out.
   * @param onFlushed called once, when its sockets and channels are not used any more
   */
  close(onFlushed: () => void): void;
}
