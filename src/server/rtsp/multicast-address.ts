/** Where tracks are sent for whoever joins. */
export interface MulticastAddress {
  /** Of the group, in numbers. */
  readonly address: string;
  /** Routers a packet may pass. */
  readonly timeToLive: number;
  /** Port of a track's RTP; RTCP has the next one. */
  portOf(track: number): number;
}
