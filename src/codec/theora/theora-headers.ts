import { ByteReader } from '../../wire/byte-reader.ts';
import type { VideoDetails } from '../track.ts';
import { parseXiphLacing } from '../xiph/xiph-lacing.ts';

const IDENTIFICATION = 0x80;
const COMMENT = 0x81;
const SETUP = 0x82;
/** `theora`, behind the packet type of each header. */
const MAGIC = [0x74, 0x68, 0x65, 0x6f, 0x72, 0x61];
const MAJOR_VERSION = 3;

/** Data packets have the first bit 0, those of key frames the second as well (Theora §7.1). */
const NOT_KEY_FRAME = 0xc0;

/** What the identification header tells (Theora §6.2). */
export interface TheoraIdentification {
  /** Of the picture region. */
  readonly width: number;
  readonly height: number;
  readonly frameRateNumerator: number;
  readonly frameRateDenominator: number;
  /** 0 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly pixelFormat: number;
}

function isHeader(packet: Uint8Array, type: number): boolean {
  return packet[0] === type && MAGIC.every((byte, i) => packet[i + 1] === byte);
}

/**
 * Parses an identification header; `undefined` when it is none, is cut off or says what no stream has.
 *
 *     type(8) "theora" version(24) macroblocks(16, 16) picture(24, 24) offset(8, 8) frame rate(32 / 32) aspect(24, 24)
 *     colour space(8) bit rate(24) quality(6) granule shift(5) pixel format(2) 000
 */
export function parseTheoraIdentification(packet: Uint8Array): TheoraIdentification | undefined {
  if (!isHeader(packet, IDENTIFICATION) || packet[7] !== MAJOR_VERSION) return undefined;
  const reader = new ByteReader(packet, 14);
  const width = reader.u24();
  const height = reader.u24();
  reader.skip(2);
  const frameRateNumerator = reader.u32();
  const frameRateDenominator = reader.u32();
  reader.skip(10);
  const pixelFormat = (reader.u16() >>> 3) & 3;
  const isSane = width > 0 && height > 0 && frameRateNumerator > 0 && frameRateDenominator > 0 && pixelFormat !== 1;
  return reader.overrun || !isSane
    ? undefined
    : { width, height, frameRateNumerator, frameRateDenominator, pixelFormat };
}

/** Whether these are identification, comment and setup header. */
export function isTheoraHeaders(packets: readonly Uint8Array[]): boolean {
  const [identification, comment, setup] = packets;
  if (packets.length !== 3 || identification === undefined || comment === undefined || setup === undefined)
    return false;
  return (
    parseTheoraIdentification(identification) !== undefined && isHeader(comment, COMMENT) && isHeader(setup, SETUP)
  );
}

/** A comment header without comments and vendor (Theora §6.3), for senders that leave theirs out. */
export function emptyTheoraComment(): Uint8Array {
  return Uint8Array.of(COMMENT, ...MAGIC, 0, 0, 0, 0, 0, 0, 0, 0);
}

/** Whether a decoder may start at this packet. An empty one repeats the frame before. */
export function isTheoraKeyFrame(packet: Uint8Array): boolean {
  return packet.length > 0 && (packet[0]! & NOT_KEY_FRAME) === 0;
}

/** What `Track.config`, the headers in Xiph lacing, tells. */
export function theoraDetails(config: Uint8Array): VideoDetails | undefined {
  const identification = parseTheoraIdentification(parseXiphLacing(config)?.[0] ?? new Uint8Array(0));
  if (identification === undefined) return undefined;
  const { width, height, frameRateNumerator, frameRateDenominator } = identification;
  return {
    width,
    height,
    frameRate: frameRateNumerator / frameRateDenominator,
    profile: 'Theora',
    level: '',
    codecString: 'theora',
  };
}
