import { ProtocolError } from '../../wire/errors.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import type { RandomAccess } from '../media-file.ts';
import { type ElementaryStream, parseProgramAssociationSection, parseProgramMapSection } from './program-tables.ts';
import { SectionAssembler } from './section-assembler.ts';
import { StreamType } from './stream-types.tables.ts';
import { TimestampUnwrapper } from './timestamp-unwrapper.ts';
import { type TsIndex, TsIndexBuilder } from './ts-index.ts';
import { PAT_PID, TS_PACKET_SIZE_BYTES, TS_SYNC_BYTE } from './ts-packet.ts';

/** Codes of the `ProtocolError`s of transport stream files. */
export type TsFileErrorCode = 'ts-file/not-ts' | 'ts-file/no-clock' | 'ts-file/no-streams';

/** Bytes read at a time: whole packets. */
const SCAN_BYTES: number = 2048 * TS_PACKET_SIZE_BYTES;

/** Bytes looked through for the first packet. */
export const MAX_TS_LEADING_BYTES = 65_536;

/** A clock that steps back, or forward by more, began anew: time goes on without a step. Microseconds. */
const MAX_CLOCK_STEP_US = 10_000_000;

/** Without video, distance of two places to start at, microseconds. */
const AUDIO_START_US = 500_000;

/** Most packets a table is waited for. */
const MAX_TABLE_BYTES = 16 * TS_PACKET_SIZE_BYTES;

const MPEG1_VIDEO = 0x01;
const MPEG2_VIDEO = 0x02;
const VIDEO_TYPES: ReadonlySet<number> = new Set([MPEG1_VIDEO, MPEG2_VIDEO, StreamType.h264, StreamType.h265]);

/**
 * Reads a transport stream from front to back once and tells where which time is and where a decoder can start.
 * @throws ProtocolError when it is none or has no clock; ResourceError when it can't be read
 */
export async function scanTsFile(file: RandomAccess): Promise<TsIndex> {
  const first = await findFirstPacket(file);
  const scan = new TsFileScan();
  for (let at = first; at + TS_PACKET_SIZE_BYTES <= file.sizeBytes; ) {
    const bytes = await file.read(at, SCAN_BYTES);
    const consumed = scan.receive(bytes, at);
    if (consumed === 0) break;
    at += consumed;
  }
  const index = scan.finish();
  if (index.clock.offsets.length < 2) {
    throw new ProtocolError(
      'ts-file/no-clock' satisfies TsFileErrorCode,
      'the transport stream has no clock references',
    );
  }
  return index;
}

async function findFirstPacket(file: RandomAccess): Promise<number> {
  const bytes = await file.read(0, MAX_TS_LEADING_BYTES);
  for (let at = 0; at + TS_PACKET_SIZE_BYTES <= bytes.length; at++) {
    const isSync = [0, 1, 2].every((i) => {
      const position = at + i * TS_PACKET_SIZE_BYTES;
      return bytes[position] === TS_SYNC_BYTE || position >= bytes.length;
    });
    if (isSync) return at;
  }
  throw new ProtocolError('ts-file/not-ts' satisfies TsFileErrorCode, 'no transport packets at the start of the file');
}

class TsFileScan {
  readonly #builder = new TsIndexBuilder();
  readonly #pat = new SectionAssembler();
  readonly #pmt = new SectionAssembler();
  readonly #unwrapper = new TimestampUnwrapper();
  readonly #tablePackets: Uint8Array[] = [];
  #pmtPid: number | undefined;
  #pcrPid: number | undefined;
  #video: ElementaryStream | undefined;
  #hasProgram = false;
  #lastClockUs: number | undefined;
  #timeUs = 0;
  #lastStartUs = Number.NEGATIVE_INFINITY;

  /** @returns bytes taken: whole packets, and what lies between them */
  receive(bytes: Uint8Array, offset: number): number {
    let at = 0;
    while (at + TS_PACKET_SIZE_BYTES <= bytes.length) {
      if (bytes[at] === TS_SYNC_BYTE) {
        this.#packet(bytes.subarray(at, at + TS_PACKET_SIZE_BYTES), offset + at);
        at += TS_PACKET_SIZE_BYTES;
      } else {
        const next = bytes.indexOf(TS_SYNC_BYTE, at + 1);
        at = next < 0 ? bytes.length : next;
      }
    }
    return at;
  }

  finish(): TsIndex {
    return this.#builder.finish(joinBytes(this.#tablePackets));
  }

  #packet(packet: Uint8Array, offset: number): void {
    const pid = ((packet[1]! & 0x1f) << 8) | packet[2]!;
    const hasAdaptation = (packet[3]! & 0x20) !== 0;
    const adaptationBytes = hasAdaptation ? packet[4]! + 1 : 0;
    const flags = adaptationBytes > 1 ? packet[5]! : 0;
    if (pid === this.#pcrPid && (flags & 0x10) !== 0 && adaptationBytes >= 8) this.#clock(packet, offset);
    const isUnitStart = (packet[1]! & 0x40) !== 0;
    const payload = packet.subarray(Math.min(4 + adaptationBytes, TS_PACKET_SIZE_BYTES));
    if (!this.#hasProgram && (pid === PAT_PID || pid === this.#pmtPid)) {
      this.#table(pid, packet, payload, isUnitStart);
    } else if (pid === this.#video?.pid && isUnitStart) {
      if ((flags & 0x40) !== 0 || beginsKeyFrame(this.#video.streamType, payload)) this.#builder.start(offset);
    }
  }

  #table(pid: number, packet: Uint8Array, payload: Uint8Array, isUnitStart: boolean): void {
    if (this.#tablePackets.length * TS_PACKET_SIZE_BYTES < MAX_TABLE_BYTES) this.#tablePackets.push(packet.slice());
    const assembler = pid === PAT_PID ? this.#pat : this.#pmt;
    assembler.push(payload, isUnitStart, {
      onSection: (section) => (pid === PAT_PID ? this.#association(section) : this.#map(section)),
      // The next copy of the table will do.
      onBadSection: () => this.#tablePackets.pop(),
    });
  }

  #association(section: Uint8Array): void {
    this.#pmtPid ??= parseProgramAssociationSection(section)?.[0]?.pmtPid;
  }

  #map(section: Uint8Array): void {
    const map = parseProgramMapSection(section);
    if (map === undefined) return;
    this.#hasProgram = true;
    this.#pcrPid = map.pcrPid;
    this.#video = map.streams.find((stream) => VIDEO_TYPES.has(stream.streamType));
  }

  #clock(packet: Uint8Array, offset: number): void {
    const base =
      packet[6]! * 2 ** 25 + ((packet[7]! << 17) | (packet[8]! << 9) | (packet[9]! << 1) | (packet[10]! >>> 7));
    const clockUs = this.#unwrapper.toUs(base);
    const stepUs = this.#lastClockUs === undefined ? 0 : clockUs - this.#lastClockUs;
    if (stepUs >= 0 && stepUs <= MAX_CLOCK_STEP_US) this.#timeUs += stepUs;
    this.#lastClockUs = clockUs;
    this.#builder.clock(offset, this.#timeUs);
    if (this.#video === undefined && this.#timeUs - this.#lastStartUs >= AUDIO_START_US) {
      this.#lastStartUs = this.#timeUs;
      this.#builder.start(offset);
    }
  }
}

/** Whether the first packet of a PES packet shows that a decoder can start at it: parameter sets or an intra picture. */
function beginsKeyFrame(streamType: number, payload: Uint8Array): boolean {
  for (let at = 0; at + 4 < payload.length; at++) {
    if (payload[at] !== 0 || payload[at + 1] !== 0 || payload[at + 2] !== 1) continue;
    const code = payload[at + 3]!;
    if (streamType === StreamType.h264) {
      const type = code & 0x1f;
      if (code < 0x80 && (type === 5 || type === 7)) return true;
    } else if (streamType === StreamType.h265) {
      const type = code >>> 1;
      if (code < 0x80 && ((type >= 16 && type <= 23) || (type >= 32 && type <= 34))) return true;
    } else if (code === 0xb3) {
      return true;
    }
  }
  return false;
}
