/**
 * The document the server gives at `GET /console/streams.json`, and everything this page knows about the server.
 * A number is `null` while it is not known; a text is empty then.
 */
export interface StreamsDocument {
  readonly server: ServerEntry;
  readonly streams: readonly StreamEntry[];
}

/** The server itself. */
export interface ServerEntry {
  readonly version: string;
  readonly uptimeSeconds: number | null;
  /** TCP port of the RTMP server; `null` when RTMP is off. */
  readonly rtmpPort: number | null;
  /** TCP port of the RTMPS server; `null` when RTMPS is off. */
  readonly rtmpsPort: number | null;
  /** TCP port of the RTSP server; `null` when RTSP is off. */
  readonly rtspPort: number | null;
  /** TCP port of the RTSPS server; `null` when RTSPS is off. */
  readonly rtspsPort: number | null;
  /** Viewers of all streams over all protocols. */
  readonly viewers: number | null;
}

/** One stream that is live, or whose publisher has just gone and may come back. */
export interface StreamEntry {
  /** What identifies the stream on this server, and the part of the page's address after `#/`. */
  readonly key: string;
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** `false` while viewers are kept in the hope that the publisher comes back. */
  readonly publishing: boolean;
  readonly uptimeSeconds: number | null;
  readonly viewers: number | null;
  readonly video: VideoEntry | null;
  readonly audio: AudioEntry | null;
  readonly paths: StreamPaths;
}

/** The video track of a stream. */
export interface VideoEntry {
  /** Short name: `h264`, `h265`, `av1`, `vp9`, … */
  readonly codec: string;
  /** RFC 6381 `codecs` value: `avc1.64001f`, `hvc1.1.6.L93.B0`, … */
  readonly codecString: string;
  /** Luma samples after cropping. */
  readonly width: number | null;
  readonly height: number | null;
  readonly profile: string;
  readonly level: string;
  /** Frames a second. */
  readonly frameRate: number | null;
  readonly bitrateBps: number | null;
  /** Seconds from one key frame to the next. */
  readonly gopSeconds: number | null;
}

/** The audio track of a stream. */
export interface AudioEntry {
  /** Short name: `aac`, `opus`, `mp3`, … */
  readonly codec: string;
  /** RFC 6381 `codecs` value: `mp4a.40.2`, `opus`, … */
  readonly codecString: string;
  readonly profile: string;
  /** Samples a second. */
  readonly sampleRate: number | null;
  readonly channels: number | null;
  readonly bitrateBps: number | null;
}

/** Where the stream is served, as absolute paths on this page's origin, percent-encoded. */
export interface StreamPaths {
  /** FLV, over HTTP and over WebSocket. */
  readonly flv: string;
  /** MPEG-TS, over HTTP and over WebSocket. */
  readonly ts: string;
}
