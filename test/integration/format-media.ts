import type { Frame } from '../../src/codec/frame.ts';
import type { Track } from '../../src/codec/track.ts';
import { FlvDemuxer } from '../../src/format/flv/flv-demuxer.ts';
import { FlvReader, type FlvTag } from '../../src/format/flv/flv-reader.ts';
import { TsDemuxer } from '../../src/format/mpegts/ts-demuxer.ts';

/** A file as neutral frames. */
export interface Media {
  readonly tracks: readonly Track[];
  readonly frames: readonly Frame[];
  /** Everything else that was told, as `ignored:reason` or `malformed:reason`. */
  readonly complaints: readonly string[];
}

export function flvTags(file: Uint8Array): readonly FlvTag[] {
  return new FlvReader().receive(file).flatMap((event) => (event.type === 'tag' ? event : []));
}

export function readFlv(file: Uint8Array): Media {
  const demuxer = new FlvDemuxer();
  return collect(flvTags(file).flatMap((tag) => demuxer.demux(tag.typeId, tag.timestamp, tag.body)));
}

export function readTs(file: Uint8Array): Media {
  const demuxer = new TsDemuxer();
  return collect([...demuxer.receive(file), ...demuxer.flush()]);
}

type AnyEvent = ReturnType<FlvDemuxer['demux']>[number] | ReturnType<TsDemuxer['receive']>[number];

function collect(events: readonly AnyEvent[]): Media {
  const tracks: Track[] = [];
  const frames: Frame[] = [];
  const complaints: string[] = [];
  for (const event of events) {
    if (event.type === 'track') tracks.push(event.track);
    else if (event.type === 'frame') frames.push(event.frame);
    else if (event.type === 'ignored' || event.type === 'malformed') complaints.push(`${event.type}:${event.reason}`);
  }
  return { tracks, frames, complaints };
}
