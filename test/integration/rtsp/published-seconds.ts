/** What a sender of RTP in tests has to send: seconds of made-up pictures and sounds. */
import type { Frame } from '../../../src/codec/frame.ts';
import type { Track } from '../../../src/codec/track.ts';
import { writeInterleavedFrame } from '../../../src/protocol/rtsp/rtsp-message-writer.ts';
import { rtpMapAttributes } from '../../../src/protocol/sdp/rtp-maps.ts';
import type { RtpPublisher, SentPacket } from '../../rtp-publisher.ts';
import { h264Track, PCMU_TRACK } from './live-stream.ts';

/** Of the pictures and of the sounds. */
export const TRACKS: readonly [Track, Track] = [h264Track(), PCMU_TRACK];

/** Pictures and sounds of one second from `fromMs` on, 25 of each. */
export function framesFrom(fromMs: number): Frame[] {
  return Array.from({ length: 25 }, (_, i): Frame[] => {
    const atUs = (fromMs + i * 40) * 1000;
    const picture = new Uint8Array(300).fill(i);
    picture.set([0, 0, 1, 40, i === 0 ? 0x65 : 0x41]);
    const sound = new Uint8Array(320).fill(i);
    const times = { dtsUs: atUs, ptsUs: atUs };
    return [
      { track: TRACKS[0], ...times, isKeyFrame: i === 0, payload: picture },
      { track: TRACKS[1], ...times, isKeyFrame: true, payload: sound },
    ];
  }).flat();
}

/** @param controls `a=control` of each track; undefined for none */
export function sdpOf(publisher: RtpPublisher, controls: readonly (string | undefined)[]): string {
  const media = publisher.descriptions.flatMap(({ kind, mapping }, i) => [
    `m=${kind} 0 RTP/AVP ${mapping.payloadType}`,
    ...rtpMapAttributes(mapping).map(({ name, value }) => `a=${name}:${value}`),
    ...(controls[i] === undefined ? [] : [`a=control:${controls[i]}`]),
  ]);
  return `${['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=x', 't=0 0', ...media].join('\r\n')}\r\n`;
}

/** A packet as it goes through a connection of RTSP: track 0 on channels 0 and 1, the next one on 2 and 3. */
export function interleaved({ track, kind, bytes }: SentPacket): Uint8Array {
  const channel = track * 2 + (kind === 'rtcp' ? 1 : 0);
  return writeInterleavedFrame(channel, bytes);
}
