/**
 * Where a packetizer writes RTP payloads to. The writer puts the RTP header in front of each, counts sequence numbers and
 * turns the frame's time into an RTP timestamp; a packetizer sees payload bytes only.
 */
export interface PayloadWriter {
  /** Most payload bytes of one packet. A packetizer never writes more between `open` and `close`. */
  readonly maxPayloadSize: number;
  /**
   * Begins a packet.
   * @param timestampDelta RTP clock units by which its timestamp is later than that of the frame, default 0
   */
  open(timestampDelta?: number): void;
  u8(value: number): void;
  u16(value: number): void;
  u32(value: number): void;
  /** Copies `bytes[start..end]`. */
  raw(bytes: Uint8Array, start?: number, end?: number): void;
  /** Ends the packet with the marker bit given. */
  close(marker: boolean): void;
}

/** Cuts coded units into RTP payloads of one format. Keeps state between frames only where its RFC asks for it. */
export interface Packetizer {
  /** Writes one `Frame.payload` (see `Frame` for its form) as any number of packets. */
  write(payload: Uint8Array, isKeyFrame: boolean, out: PayloadWriter): void;
  /**
   * Writes units that follow one another without a gap, as many in a packet as fit. Absent where the format has one unit
   * a packet, or saves nothing by more.
   * @param unitDuration of each unit, RTP clock units
   */
  writeUnits?(payloads: readonly Uint8Array[], unitDuration: number, out: PayloadWriter): void;
}
