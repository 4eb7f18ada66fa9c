import type { RtpTrack } from '../../media/renditions/rtp-presentation.ts';
import { rtpMapAttributes } from '../../protocol/sdp/rtp-maps.ts';
import { keyManagementAttribute } from '../../protocol/sdp/security-attributes.ts';
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
  /** MIKEY message with the key of a track, when it is sent as SRTP. */
  readonly keyMessageOf?: ((track: number) => Uint8Array) | undefined;
}

/** SDP of media that is sent in RTP, with control URLs for RTSP (RFC 2326 §C.1). */
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
        protocol: media.keyMessageOf === undefined ? 'RTP/AVP' : 'RTP/SAVP',
        formats: [String(mapping.payloadType)],
        connection: media.multicast === undefined ? anyAddress(isIpv6) : groupAddress(media.multicast),
        attributes: [
          ...rtpMapAttributes(mapping),
          ...(media.keyMessageOf === undefined
            ? []
            : [keyManagementAttribute({ protocol: 'mikey', data: media.keyMessageOf(i) })]),
          { name: 'control', value: context.controlOf?.(i) ?? trackName(i) },
        ],
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
