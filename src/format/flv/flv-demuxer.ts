import type { Track } from '../../codec/track.ts';
import { isAmfPropertyBag } from '../../protocol/amf/amf-value.ts';
import { Amf0Reader } from '../../protocol/amf/amf0-reader.ts';
import { FlvAudioDemuxer } from './flv-audio-demuxer.ts';
import { FLV_AUDIO, FLV_SCRIPT, FLV_VIDEO, type FlvTypeId } from './flv-codecs.tables.ts';
import type { FlvDemuxEvent } from './flv-demux-event.ts';
import { splitScriptData } from './flv-script-data.ts';
import { FlvVideoDemuxer } from './flv-video-demuxer.ts';

/** The track all data messages of a stream belong to. */
export const FLV_DATA_TRACK: Track = { kind: 'data', trackId: 0, codec: 'amf0', config: new Uint8Array(0) };

/**
 * Turns FLV tag bodies, which are RTMP message bodies too, into tracks and frames (FLV v10.1 §E.4, Enhanced RTMP v2).
 *
 * Times are what the publisher said: `dtsUs` is the timestamp (and a ModEx nanosecond offset), `ptsUs` adds the
 * composition time. Correcting jumps and wraps is the Timeline's work. What is unknown or broken is told and dropped;
 * no input ends a publisher here.
 */
export class FlvDemuxer {
  readonly #audio: FlvAudioDemuxer = new FlvAudioDemuxer();
  readonly #video: FlvVideoDemuxer = new FlvVideoDemuxer();

  /**
   * @param timestampMs 0–4,294,967,295
   * @param body given away: frames and events hold views into it, so it must not be changed afterwards
   */
  demux(typeId: FlvTypeId, timestampMs: number, body: Uint8Array): FlvDemuxEvent[] {
    const events: FlvDemuxEvent[] = [];
    if (typeId === FLV_VIDEO) this.#video.demux(timestampMs, body, events);
    else if (typeId === FLV_AUDIO) this.#audio.demux(timestampMs, body, events);
    else if (typeId === FLV_SCRIPT) events.push(demuxScript(timestampMs, body));
    return events;
  }
}

function demuxScript(timestampMs: number, body: Uint8Array): FlvDemuxEvent {
  if (body.length === 0) return { type: 'ignored', reason: 'empty-message' };
  const script = splitScriptData(body);
  if (script === undefined) return { type: 'malformed', reason: 'script-data-without-name' };
  if (script.name === '@clearDataFrame') return { type: 'ignored', reason: 'clear-data-frame' };
  if (script.name === 'onMetaData') {
    const value = new Amf0Reader(script.values).read();
    return isAmfPropertyBag(value)
      ? { type: 'metadata', values: value.properties }
      : { type: 'malformed', reason: 'bad-metadata' };
  }
  const dtsUs = timestampMs * 1000;
  return {
    type: 'data',
    frame: { track: FLV_DATA_TRACK, dtsUs, ptsUs: dtsUs, isKeyFrame: true, payload: script.message },
  };
}
