import { trackSlot } from '../../codec/track.ts';
import { FLV_SCRIPT } from '../../format/flv/flv-codecs.tables.ts';
import { FlvDemuxer } from '../../format/flv/flv-demuxer.ts';
import type { FlvTag } from '../../format/flv/flv-reader.ts';

/**
 * What an FLV tag is to those who pass it on:
 * - `entry`: a frame at which a viewer may begin: a video key frame, or any audio frame while there is no video;
 * - `frame`: any other frame of audio or video;
 * - `other`: configuration, metadata, data, and what is not understood.
 */
export type TagKind = 'entry' | 'frame' | 'other';

/** Tells what tags are, and keeps what a newcomer needs to understand those that follow. */
export class TagInspector {
  readonly #demuxer = new FlvDemuxer();
  readonly #configurations = new Map<number, FlvTag>();
  #metadata: FlvTag | undefined;
  #hasVideo = false;

  inspect(tag: FlvTag): TagKind {
    let kind: TagKind = 'other';
    for (const event of this.#demuxer.demux(tag.typeId, tag.timestamp, tag.body)) {
      if (event.type === 'track' || event.type === 'repeated-config') {
        this.#hasVideo ||= event.track.kind === 'video';
        this.#configurations.set(trackSlot(event.track), tag);
      } else if (event.type === 'metadata') {
        this.#metadata = tag;
      } else if (event.type === 'frame' && tag.typeId !== FLV_SCRIPT) {
        const isEntry = event.frame.isKeyFrame && (event.frame.track.kind === 'video' || !this.#hasVideo);
        if (isEntry || kind === 'other') kind = isEntry ? 'entry' : 'frame';
      }
    }
    return kind;
  }

  /** The newest metadata and the newest configuration of each track. A tag may be a frame too, where a codec has none. */
  head(): FlvTag[] {
    // One tag may configure several tracks.
    return [...new Set([...(this.#metadata === undefined ? [] : [this.#metadata]), ...this.#configurations.values()])];
  }
}
