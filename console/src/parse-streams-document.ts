import type {
  AudioEntry,
  ServerEntry,
  StreamEntry,
  StreamPaths,
  StreamsDocument,
  VideoEntry,
} from './streams-document.ts';

/** Streams this page keeps of one document; a server with more is better looked at through its API. */
export const MAX_STREAMS = 5000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads `GET /console/streams.json`. Missing and wrong fields become `null` or an empty text, so that a page and a server of
 * different versions still understand each other; entries without a key or paths are left out.
 * @returns `undefined` when the value is no such document at all.
 */
export function parseStreamsDocument(value: unknown): StreamsDocument | undefined {
  const document = toFields(value);
  const server = toFields(document?.['server']);
  const streams = document?.['streams'];
  if (server === undefined || !Array.isArray(streams)) {
    return undefined;
  }
  const entries: StreamEntry[] = [];
  const seen = new Set<string>();
  for (const item of streams.slice(0, MAX_STREAMS)) {
    const entry = toStreamEntry(item);
    if (entry !== undefined && !seen.has(entry.key)) {
      seen.add(entry.key);
      entries.push(entry);
    }
  }
  return { server: toServerEntry(server), streams: entries };
}

function toServerEntry(fields: Fields): ServerEntry {
  return {
    version: toText(fields['version']),
    uptimeSeconds: toNumber(fields['uptimeSeconds']),
    rtmpPort: toPort(fields['rtmpPort']),
    rtmpsPort: toPort(fields['rtmpsPort']),
    rtspPort: toPort(fields['rtspPort']),
    rtspsPort: toPort(fields['rtspsPort']),
    viewers: toNumber(fields['viewers']),
  };
}

function toStreamEntry(value: unknown): StreamEntry | undefined {
  const fields = toFields(value);
  const key = toText(fields?.['key']);
  const paths = toPaths(fields?.['paths']);
  if (fields === undefined || key === '' || paths === undefined) {
    return undefined;
  }
  return {
    key,
    vhost: toText(fields['vhost']),
    app: toText(fields['app']),
    stream: toText(fields['stream']),
    publishing: fields['publishing'] === true,
    uptimeSeconds: toNumber(fields['uptimeSeconds']),
    viewers: toNumber(fields['viewers']),
    video: toVideoEntry(fields['video']),
    audio: toAudioEntry(fields['audio']),
    paths,
  };
}

function toVideoEntry(value: unknown): VideoEntry | null {
  const fields = toFields(value);
  return fields === undefined
    ? null
    : {
        codec: toText(fields['codec']),
        codecString: toText(fields['codecString']),
        width: toNumber(fields['width']),
        height: toNumber(fields['height']),
        profile: toText(fields['profile']),
        level: toText(fields['level']),
        frameRate: toNumber(fields['frameRate']),
        bitrateBps: toNumber(fields['bitrateBps']),
        gopSeconds: toNumber(fields['gopSeconds']),
      };
}

function toAudioEntry(value: unknown): AudioEntry | null {
  const fields = toFields(value);
  return fields === undefined
    ? null
    : {
        codec: toText(fields['codec']),
        codecString: toText(fields['codecString']),
        profile: toText(fields['profile']),
        sampleRate: toNumber(fields['sampleRate']),
        channels: toNumber(fields['channels']),
        bitrateBps: toNumber(fields['bitrateBps']),
      };
}

function toPaths(value: unknown): StreamPaths | undefined {
  const fields = toFields(value);
  const flv = toText(fields?.['flv']);
  const ts = toText(fields?.['ts']);
  return flv === '' || ts === '' ? undefined : { flv, ts };
}

function toFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Nothing this page shows is ever negative. */
function toNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

function toPort(value: unknown): number | null {
  const port = toNumber(value);
  return port !== null && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : null;
}
