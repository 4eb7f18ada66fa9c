import type { RtpTrack } from '../../media/renditions/rtp-presentation.ts';
import type { RtpMapping } from '../../protocol/rtp/payload/payload-format.ts';
import { type DescribeContext, trackName } from './media-session.ts';

/** What a description is made of. */
export interface DescribedMedia {
  /** Shown to people. */
  readonly name: string;
  readonly tracks: readonly RtpTrack[];
  /** Value of `a=range`, and the same for Range. */
  readonly range: string;
  /** Identifies the description as long as it is this one. */
  readonly id: string;
  /** Where the tracks are sent to whoever joins, when asked for. */
  readonly multicast?: { readonly address: string; readonly timeToLive: number; portOf(track: number): number };
}

/** SDP of media sent in RTP (RFC 8866), its control URLs relative to the Content-Base (RFC 2326 §C.1). */
export function describeMedia(media: DescribedMedia, context: DescribeContext): string {
  const local = context.localAddress;
  const lines = [
    'v=0',
    `o=- ${media.id} 1 IN ${local.includes(':') ? 'IP6' : 'IP4'} ${local === '' ? '0.0.0.0' : local}`,
    `s=${oneLine(media.name)}`,
    't=0 0',
    'a=tool:Millrace',
    'a=type:broadcast',
    'a=control:*',
    `a=range:${media.range}`,
  ];
  for (const [i, { track, mapping }] of media.tracks.entries()) {
    const { multicast } = media;
    lines.push(
      `m=${track.kind === 'audio' ? 'audio' : 'video'} ${multicast?.portOf(i) ?? 0} RTP/AVP ${mapping.payloadType}`,
    );
    lines.push(connectionLine(local, multicast));
    lines.push(...mappingLines(mapping), `a=control:${trackName(i)}`);
  }
  return `${lines.join('\r\n')}\r\n`;
}

function connectionLine(local: string, multicast: DescribedMedia['multicast']): string {
  if (multicast === undefined) return local.includes(':') ? 'c=IN IP6 ::' : 'c=IN IP4 0.0.0.0';
  const { address, timeToLive } = multicast;
  return address.includes(':') ? `c=IN IP6 ${address}` : `c=IN IP4 ${address}/${timeToLive}`;
}

function mappingLines(mapping: RtpMapping): string[] {
  const { payloadType, encodingName, clockRate, channels, parameters } = mapping;
  const lines = [`a=rtpmap:${payloadType} ${encodingName}/${clockRate}${channels === undefined ? '' : `/${channels}`}`];
  if (parameters.size > 0) {
    const list = [...parameters].map(([name, value]) => (value === '' ? name : `${name}=${value}`));
    lines.push(`a=fmtp:${payloadType} ${list.join(';')}`);
  }
  return lines;
}

/** Names come from publishers. */
function oneLine(text: string): string {
  const line = text.replace(/\p{Cc}/gu, ' ').trim();
  return line === '' ? '-' : line;
}
