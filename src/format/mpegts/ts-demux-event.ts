import type { DemuxEvent } from '../demux-event.ts';

/** Why part of a transport stream was dropped although nothing is wrong with it. */
export type TsIgnoredReason =
  | 'unknown-stream-type'
  /** More streams in the program map than are followed. */
  | 'too-many-streams'
  | 'scrambled-packet'
  | 'frame-without-time'
  | 'frame-before-config'
  /** An access unit of delimiters and parameter sets only. */
  | 'empty-access-unit'
  /** ADTS with several raw data blocks a frame or channels described nowhere; a dependent E-AC-3 substream (7.1 and up). */
  | 'unusual-audio-frame';

/** What was wrong with part of a transport stream. */
export type TsMalformedReason =
  /** Bytes that are no transport packets lie where packets should. */
  | 'lost-sync'
  | 'transport-error'
  | 'bad-adaptation-field'
  /** The continuity counter jumped: packets are missing, and so is the unit they belonged to. */
  | 'packets-lost'
  | 'bad-section'
  | 'bad-section-crc'
  | 'bad-pes-header'
  | 'pes-too-large'
  /** A PES packet is shorter than it says. */
  | 'pes-cut-short'
  | 'bad-audio-frame'
  | 'bad-opus-packet';

/** What `TsDemuxer` tells. Payloads are in buffers of their own. */
export type TsDemuxEvent =
  | DemuxEvent<TsIgnoredReason, TsMalformedReason>
  /** The program's clock reference, in microseconds on the same line as the frames' times. */
  | { readonly type: 'clock'; readonly timeUs: number };
