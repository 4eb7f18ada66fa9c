import type { Frame } from '../../src/codec/frame.ts';
import { type Track, trackSlot } from '../../src/codec/track.ts';
import { Publication } from '../../src/media/publication.ts';
import { MAX_INGEST_TRACKS, RtpIngest, type RtpIngestTrackDescription } from '../../src/media/rtp-ingest.ts';

export const name = 'rtp-ingest';

/** As many milliseconds as a packet can say it comes after the one before. */
const STEP_MS = 16;

function video(encodingName: string, payloadType: number): RtpIngestTrackDescription {
  return { kind: 'video', mapping: { payloadType, encodingName, clockRate: 90_000, parameters: new Map() } };
}

const AAC = new Map([
  ['mode', 'AAC-hbr'],
  ['config', '1190'],
  ['sizelength', '13'],
  ['indexlength', '3'],
  ['indexdeltalength', '3'],
]);

const TRACKS: readonly RtpIngestTrackDescription[] = [
  video('H264', 96),
  { kind: 'audio', mapping: { payloadType: 97, encodingName: 'mpeg4-generic', clockRate: 48_000, parameters: AAC } },
  video('H265', 98),
  video('VP9', 99),
  video('AV1', 100),
  {
    kind: 'audio',
    mapping: { payloadType: 101, encodingName: 'opus', clockRate: 48_000, channels: 2, parameters: new Map() },
  },
  video('MP2T', 33),
];

/**
 * A stream in RTP: packets of several tracks in a row, each behind a byte for its track and time, and two for its length.
 *
 *     RTCP(1) track(3) milliseconds since the one before(4)  length(16)  packet
 */
export function run(bytes: Uint8Array): void {
  const ingest = new RtpIngest({ publication: publication(), tracks: TRACKS, ssrc: 1, cname: 'fuzz' });
  let nowMs = 0;
  let packets = 0;
  for (let at = 0; at + 3 <= bytes.length; ) {
    const head = bytes[at]!;
    const end = Math.min(bytes.length, at + 3 + ((bytes[at + 1]! << 8) | bytes[at + 2]!));
    // Freed behind the call, so that what is kept of it shows.
    const packet = bytes.slice(at + 3, end);
    at = end;
    nowMs += (head % STEP_MS) * 7.3;
    checkTimers(ingest, nowMs);
    const track = (head >>> 4) & 7;
    if ((head & 0x80) === 0) {
      ingest.receiveRtp(track, packet, nowMs);
      packets++;
    } else ingest.receiveRtcp(track, packet, nowMs);
    packet.buffer.transfer(0);
  }
  ingest.end();
  const counters = ingest.counters();
  // RTCP between RTP packets is not counted.
  if (counters.packets > packets) throw new RangeError(`${counters.packets} of ${packets} packets counted`);
  for (const [counter, count] of Object.entries(counters)) {
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`${counter} is ${count}`);
  }
}

/** Lets timers run that are due; each must move on. */
function checkTimers(ingest: RtpIngest, nowMs: number): void {
  let beforeMs = Number.NEGATIVE_INFINITY;
  for (let dueMs = ingest.nextTimeoutMs(); dueMs !== undefined && dueMs <= nowMs; dueMs = ingest.nextTimeoutMs()) {
    if (dueMs < beforeMs) throw new RangeError('a timer went back');
    if (ingest.handleTimeout(dueMs).length > MAX_INGEST_TRACKS) throw new RangeError('too many reports');
    if (ingest.nextTimeoutMs() === dueMs && beforeMs === dueMs) throw new RangeError('a timer stands still');
    beforeMs = dueMs;
  }
}

/** A publication that checks what it gets. */
function publication(): Publication {
  const newest = new Map<number, Track>();
  const target = {
    acceptTrack: (track: Track): void => void newest.set(trackSlot(track), track),
    acceptRepeatedConfig: (): void => undefined,
    acceptMetadata: (): boolean => true,
    acceptFrame: (frame: Frame): void => {
      const { track, dtsUs, ptsUs, payload } = frame;
      if (newest.get(trackSlot(track)) !== track) throw new RangeError('a frame of a track that was not told');
      if (!Number.isSafeInteger(dtsUs) || !Number.isSafeInteger(ptsUs)) throw new RangeError('a time that is none');
      // The times inside a transport stream are its own.
      const isOwn = track.codec === 'vp9' || track.codec === 'av1' || track.codec === 'opus';
      if (isOwn && dtsUs > ptsUs) throw new RangeError('shown before it is decoded');
      if (payload.length === 0) throw new RangeError('an empty frame');
    },
    publicationEnded: (): void => undefined,
  };
  return new Publication(target, { id: 'f', protocol: 'file', remote: '' }, 0, () => undefined);
}
