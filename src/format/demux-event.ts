import type { Frame } from '../codec/frame.ts';
import type { Track } from '../codec/track.ts';

/**
 * What a demuxer of live input tells, whichever container it reads. Nothing here ends a session: input that makes no
 * sense is told as `malformed`, input that makes sense but is of no use as `ignored`, and the owner counts both.
 *
 * @typeParam Ignored the container's reasons for `ignored`
 * @typeParam Malformed the container's reasons for `malformed`
 */
export type DemuxEvent<Ignored extends string = string, Malformed extends string = string> =
  /** A track is new, or its configuration changed: the frames after this event point at the new object. */
  | { readonly type: 'track'; readonly track: Track }
  /** The publisher sent the configuration of `track` once more, unchanged. */
  | { readonly type: 'repeated-config'; readonly track: Track }
  | { readonly type: 'frame'; readonly frame: Frame }
  /** The publisher said that no more frames of `track` follow with this configuration. */
  | { readonly type: 'end-of-sequence'; readonly track: Track }
  | { readonly type: 'ignored'; readonly reason: Ignored }
  | { readonly type: 'malformed'; readonly reason: Malformed };
