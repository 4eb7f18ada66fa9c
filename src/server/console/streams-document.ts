import type { Stream } from '../../media/stream.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import { DEFAULT_VHOST } from '../../media/stream-name.ts';

/** What `/console/streams.json` tells. While unknown, numbers are null and texts empty. */
export interface StreamsDocument {
  readonly server: {
    readonly version: string;
    readonly uptimeSeconds: number;
    readonly rtmpPort: number | null;
    readonly rtmpsPort: number | null;
    readonly rtspPort: number | null;
    readonly rtspsPort: number | null;
    readonly viewers: number;
  };
  readonly streams: readonly StreamEntry[];
}

export interface StreamEntry {
  readonly key: string;
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** False in the grace window after a publisher was lost. */
  readonly publishing: boolean;
  readonly uptimeSeconds: number;
  readonly viewers: number;
  readonly video: VideoEntry | null;
  readonly audio: AudioEntry | null;
  /** Paths on this HTTP server. */
  readonly paths: { readonly flv: string; readonly ts: string };
}

interface VideoEntry {
  readonly codec: string;
  readonly codecString: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly profile: string;
  readonly level: string;
  readonly frameRate: number | null;
  readonly bitrateBps: number | null;
  readonly gopSeconds: number | null;
}

interface AudioEntry {
  readonly codec: string;
  readonly codecString: string;
  readonly profile: string;
  readonly sampleRate: number | null;
  readonly channels: number | null;
  readonly bitrateBps: number | null;
}

export interface StreamsDocumentOptions {
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly rtmpPort: number | undefined;
  readonly rtmpsPort: number | undefined;
  readonly rtspPort: number | undefined;
  readonly rtspsPort: number | undefined;
}

/** The live streams of a hub and what is measured on them. */
export function toStreamsDocument(hub: StreamHub, options: StreamsDocumentOptions): StreamsDocument {
  const streams = hub.list();
  return {
    server: {
      version: options.version,
      uptimeSeconds: options.uptimeSeconds,
      rtmpPort: options.rtmpPort ?? null,
      rtmpsPort: options.rtmpsPort ?? null,
      rtspPort: options.rtspPort ?? null,
      rtspsPort: options.rtspsPort ?? null,
      viewers: streams.reduce((sum, stream) => sum + stream.viewers, 0),
    },
    streams: streams
      .filter((stream) => stream.state === 'live' || stream.state === 'grace')
      .map(toEntry)
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
  };
}

function toEntry(stream: Stream): StreamEntry {
  const { vhost, app, stream: streamName } = stream.name;
  const path = `/${[...app.split('/'), streamName].map(encodeURIComponent).join('/')}`;
  const query = vhost === DEFAULT_VHOST ? '' : `?vhost=${encodeURIComponent(vhost)}`;
  return {
    key: stream.key,
    vhost,
    app,
    stream: streamName,
    publishing: stream.state === 'live',
    uptimeSeconds: stream.liveForMs / 1000,
    viewers: stream.viewers,
    video: toVideo(stream),
    audio: toAudio(stream),
    paths: { flv: `${path}.flv${query}`, ts: `${path}.ts${query}` },
  };
}

function toVideo(stream: Stream): VideoEntry | null {
  const track = stream.header.tracks.find((t) => t.kind === 'video');
  if (track === undefined) return null;
  const measured = stream.stats.of(track);
  return {
    codec: track.codec,
    codecString: track.video?.codecString ?? '',
    width: track.video?.width ?? null,
    height: track.video?.height ?? null,
    profile: track.video?.profile ?? '',
    level: track.video?.level ?? '',
    frameRate: measured.frameRate ?? track.video?.frameRate ?? null,
    bitrateBps: measured.bitrateBps ?? null,
    gopSeconds: measured.gopSeconds ?? null,
  };
}

function toAudio(stream: Stream): AudioEntry | null {
  const track = stream.header.tracks.find((t) => t.kind === 'audio');
  if (track === undefined) return null;
  return {
    codec: track.codec,
    codecString: track.audio?.codecString ?? '',
    profile: track.audio?.profile ?? '',
    sampleRate: track.audio?.sampleRate ?? null,
    channels: track.audio?.channels ?? null,
    bitrateBps: stream.stats.of(track).bitrateBps ?? null,
  };
}
