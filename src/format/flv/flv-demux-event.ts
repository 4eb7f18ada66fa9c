import type { Frame } from '../../codec/frame.ts';
import type { AmfValue } from '../../protocol/amf/amf-value.ts';
import type { DemuxEvent } from '../demux-event.ts';

/** Why a message was dropped although nothing is wrong with it. */
export type FlvIgnoredReason =
  /** A body of no bytes, or a coded frame of no bytes: some encoders send them to keep a track alive. */
  | 'empty-message'
  /** FrameType 5: a command to the player, no picture. */
  | 'video-command'
  | 'unknown-video-codec'
  | 'unknown-audio-codec'
  | 'unknown-packet-type'
  /** A frame of a codec that cannot be decoded without its configuration, before that configuration. */
  | 'frame-before-config'
  /** Enhanced RTMP MultichannelConfig: a speaker layout, which no output of Millrace can say. */
  | 'multichannel-config'
  | 'unknown-multitrack-type'
  | 'clear-data-frame';

/** What was wrong with a message that was dropped. */
export type FlvMalformedReason =
  | 'truncated-header'
  | 'truncated-mod-ex'
  | 'truncated-multitrack'
  | 'nested-multitrack'
  | 'bad-config'
  | 'script-data-without-name'
  | 'bad-metadata';

/** What `FlvDemuxer` tells. Payloads and views point into the body it was given. */
export type FlvDemuxEvent =
  | DemuxEvent<FlvIgnoredReason, FlvMalformedReason>
  /** onMetaData, with or without @setDataFrame: its properties in the order they were sent, and a map of their own. */
  | { readonly type: 'metadata'; readonly values: ReadonlyMap<string, AmfValue> }
  /** Any other data message, as a frame of the data track: relayed, not looked into. */
  | { readonly type: 'data'; readonly frame: Frame };
