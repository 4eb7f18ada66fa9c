import { parseRtspUrl, type RtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import { UsageError } from './command-line.ts';

/** How packets go, for `parseCommandLine`. */
export const TRANSPORT_OPTION = { transport: { type: 'string' } } as const;

/** Its help line. */
export const TRANSPORT_HELP =
  '  --transport <t>  udp, tcp or auto, which is UDP, and TCP where that fails; auto by default';

/** What `--transport` says. @throws UsageError */
export function parseTransport(text: string | undefined): 'auto' | 'udp' | 'tcp' {
  if (text === undefined || text === 'auto') return 'auto';
  if (text === 'udp' || text === 'tcp') return text;
  throw new UsageError(`--transport takes udp, tcp or auto, not "${text}"`);
}

/** Whether a text wants to be a URL of RTSP. */
export function isRtsp(text: string): boolean {
  return /^rtsps?:\/\//i.test(text);
}

/** `rtsp[s]://[user:password@]host[:port]/path`. @throws UsageError */
export function parseRtspTarget(text: string): RtspUrl {
  const url = isRtsp(text) ? parseRtspUrl(text) : undefined;
  // Without what may be a password.
  if (url === undefined) throw new UsageError(`"${text.replace(/\/\/[^/]*@/, '//')}" is no URL like rtsp://host/path`);
  return url;
}
