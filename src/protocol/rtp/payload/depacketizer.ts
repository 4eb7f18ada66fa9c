import type { Codec } from '../../../codec/track.ts';

/** An RTP packet as a depacketizer sees it: in sequence, headers and padding taken off. */
export interface RtpPayload {
  /** A view, valid during the call. */
  readonly payload: Uint8Array;
  /** As in the packet, 32 bits. */
  readonly timestamp: number;
  readonly marker: boolean;
  /** Packets are missing between the one before and this one. */
  readonly afterLoss: boolean;
}

/** A whole coded unit put together from packets. */
export interface DepacketizedUnit {
  /** RTP timestamp of the unit's presentation, 32 bits; a unit inside a packet of several has its own. */
  readonly timestamp: number;
  /** In the form of `Frame.payload`, in a buffer of its own that goes to the caller. */
  readonly payload: Uint8Array;
  readonly isKeyFrame: boolean;
  /** Decoder configuration (the form of `Track.config`) when the packets brought one that differs from the one before. */
  readonly config?: Uint8Array;
  /** What the unit is, when the mapping's track was wrong about it: SDP has one name for mp2 and mp3 (MPA). */
  readonly codec?: Codec;
}

/**
 * Puts coded units together from RTP payloads of one format. Units that lost packets are dropped whole and counted; it
 * never throws, whatever the bytes, and holds at most `MAX_UNIT_SIZE` bytes.
 */
export interface Depacketizer {
  receive(packet: RtpPayload): readonly DepacketizedUnit[];
  /** Units dropped because packets were missing or made no sense. */
  readonly dropped: number;
}

/** Largest coded unit put together, bytes. */
export const MAX_UNIT_SIZE: number = 8 * 1024 * 1024;
