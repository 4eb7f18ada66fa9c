/** A packet as a player's demuxer handed it on. */
export interface DemuxedPacket {
  readonly ptsMs: number;
  readonly dtsMs: number;
  readonly isKeyFrame: boolean;
  readonly data: Uint8Array;
}
