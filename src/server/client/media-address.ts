import { parseRtmpUrl, type RtmpUrl } from '../../protocol/rtmp/stream-url.ts';

/** Where media is to be had, as written on a command line. */
export type MediaAddress =
  | { readonly type: 'rtmp'; readonly text: string; readonly url: RtmpUrl }
  /** `http:` or `https:`. */
  | { readonly type: 'http'; readonly text: string; readonly url: URL }
  /** `ws:` or `wss:`. */
  | { readonly type: 'web-socket'; readonly text: string; readonly url: URL }
  | { readonly type: 'file'; readonly text: string };

/** Reads a URL or a file's path; a string says what is wrong with it. */
export function parseMediaAddress(text: string): MediaAddress | string {
  const schema = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  switch (schema) {
    case undefined:
      return text === '' ? 'an empty address' : { type: 'file', text };
    case 'rtmp':
    case 'rtmps': {
      const url = parseRtmpAddress(text);
      return typeof url === 'string' ? url : { type: 'rtmp', text, url };
    }
    case 'http':
    case 'https':
    case 'ws':
    case 'wss':
      if (!URL.canParse(text)) return `"${text}" is no URL`;
      return { type: schema.startsWith('http') ? 'http' : 'web-socket', text, url: new URL(text) };
    default:
      return `${schema}:// is not supported; rtmp, rtmps, http, https, ws and wss are`;
  }
}

/** Reads `rtmp[s]://host[:port]/app/stream`; a string says what is wrong with it. */
export function parseRtmpAddress(text: string): RtmpUrl | string {
  const url = parseRtmpUrl(text);
  if (url === undefined) return `"${text}" is no URL like rtmp://host/app/stream`;
  if (url.app === '' || url.streamName === '') return `"${text}" names no stream: rtmp://host/app/stream is expected`;
  return url;
}

/** The URL of an RTMP stream without its parameters, which may be secret: for messages. */
export function shownRtmpUrl(url: RtmpUrl): string {
  return `${url.tcUrl}/${url.streamName}`.replace(/\?.*$/, '');
}
