import type { RtpTrack } from '../../media/renditions/rtp-presentation.ts';
import { rtpMapAttributes } from '../../protocol/sdp/rtp-maps.ts';
import type { ConnectionData, MediaDescription } from '../../protocol/sdp/session-description.ts';
import { writeSessionDescription } from '../../protocol/sdp/session-description-writer.ts';
import { type DescribeContext, trackName } from './media-session.ts';
import type { MulticastAddress } from './multicast-address.ts';

/** What a description is made of. */
export interface DescribedMedia {
  /** Shown to people. */
  readonly name: string;
  /** The same as long as the description is, decimal digits. */
  readonly id: string;
  readonly tracks: readonly Pick<RtpTrack, 'track' | 'mapping'>[];
  /** Value of `a=range` (RFC 2326 §C.1.5). */
  readonly range: string;
  readonly multicast?: MulticastAddress | undefined;
}

/** SDP of media that is sent in RTP, its control URLs relative to the Content-Base (RFC 2326 §C.1). */
export function describeMedia(media: DescribedMedia, context: DescribeContext): string {
  const isIpv6 = context.localAddress.includes(':');
  return writeSessionDescription({
    origin: {
      username: '-',
      sessionId: media.id,
      sessionVersion: '1',
      networkType: 'IN',
      addressType: isIpv6 ? 'IP6' : 'IP4',
      address: context.localAddress === '' ? '0.0.0.0' : context.localAddress,
    },
    name: media.name,
    attributes: [
      { name: 'tool', value: 'Millrace' },
      { name: 'type', value: 'broadcast' },
      { name: 'control', value: '*' },
      { name: 'range', value: media.range },
    ],
    media: media.tracks.map(
      ({ track, mapping }, i): MediaDescription => ({
        type: track.kind === 'audio' ? 'audio' : 'video',
        port: media.multicast?.portOf(i) ?? 0,
        protocol: 'RTP/AVP',
        formats: [String(mapping.payloadType)],
        connection: media.multicast === undefined ? anyAddress(isIpv6) : groupAddress(media.multicast),
        attributes: [...rtpMapAttributes(mapping), { name: 'control', value: trackName(i) }],
      }),
    ),
  });
}

/** SETUP will tell (RFC 2326 §C.1.7). */
function anyAddress(isIpv6: boolean): ConnectionData {
  return { networkType: 'IN', addressType: isIpv6 ? 'IP6' : 'IP4', address: isIpv6 ? '::' : '0.0.0.0' };
}

/** Groups of IPv6 have their scope in the address and no time to live (RFC 8866 §5.7). */
function groupAddress({ address, timeToLive }: MulticastAddress): ConnectionData {
  if (address.includes(':')) return { networkType: 'IN', addressType: 'IP6', address };
  return { networkType: 'IN', addressType: 'IP4', address, ttl: timeToLive };
}
