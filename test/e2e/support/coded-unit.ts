import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { parseAdtsHeader } from '../../../src/codec/aac/adts.ts';
import type { Frame } from '../../../src/codec/frame.ts';
import type { VideoCodec } from '../../../src/codec/track.ts';
import type { DemuxedPacket } from '../../peers/demuxed-packet.ts';

/** A frame to compare with another: its time, and a digest of its bytes. */
export interface CodedUnit {
  readonly dtsMs: number;
  readonly ptsMs: number;
  readonly isKeyFrame: boolean;
  readonly sizeBytes: number;
  readonly digest: string;
}

/** One recording or source, by kind of track. */
export interface Recording {
  readonly video: readonly CodedUnit[];
  readonly audio: readonly CodedUnit[];
}

/** Frames byte for byte. */
export function exactRecording(content: {
  readonly video: readonly Frame[];
  readonly audio: readonly Frame[];
}): Recording {
  return {
    video: content.video.map((frame) => toUnit(frame, frame.payload)),
    audio: content.audio.map((frame) => toUnit(frame, frame.payload)),
  };
}

/**
 * Frames of H.264 or H.265 without parameter sets and access unit delimiters, which MPEG-TS wants in the stream and FLV
 * does not: every other NAL unit byte for byte.
 */
export function elementaryRecording(content: {
  readonly video: readonly Frame[];
  readonly audio: readonly Frame[];
}): Recording {
  return {
    video: content.video.map((frame) =>
      toUnit(frame, withoutParameterSets(splitLengthPrefixed(frame.payload), frame.track.codec as VideoCodec)),
    ),
    audio: content.audio.map((frame) => toUnit(frame, frame.payload)),
  };
}

/** What a demuxer of FLV or RTMP handed on, byte for byte. */
export function demuxedRecording(video: readonly DemuxedPacket[], audio: readonly DemuxedPacket[]): Recording {
  const toUnits = (packets: readonly DemuxedPacket[]): CodedUnit[] =>
    packets.map(({ data, ...times }) => measured(times, data));
  return { video: toUnits(video), audio: toUnits(audio) };
}

/**
 * What a demuxer of MPEG-TS handed on: NAL units behind start codes, less parameter sets and delimiters, and AAC less
 * its ADTS headers.
 */
export function demuxedElementaryRecording(
  video: readonly DemuxedPacket[],
  audio: readonly DemuxedPacket[],
  codec: VideoCodec,
): Recording {
  return {
    video: video.map(({ data, ...times }) => measured(times, withoutParameterSets(splitAnnexB(data), codec))),
    audio: audio.flatMap((packet) => splitAdts(packet).map(({ data, ...times }) => measured(times, data))),
  };
}

function toUnit(frame: Frame, bytes: Uint8Array): CodedUnit {
  return measured({ dtsMs: frame.dtsUs / 1000, ptsMs: frame.ptsUs / 1000, isKeyFrame: frame.isKeyFrame }, bytes);
}

function measured(unit: Pick<CodedUnit, 'dtsMs' | 'ptsMs' | 'isKeyFrame'>, bytes: Uint8Array): CodedUnit {
  const { dtsMs, ptsMs, isKeyFrame } = unit;
  return {
    dtsMs,
    ptsMs,
    isKeyFrame,
    sizeBytes: bytes.length,
    digest: createHash('sha256').update(bytes).digest('hex'),
  };
}

function withoutParameterSets(nalUnits: readonly Uint8Array[], codec: VideoCodec): Uint8Array {
  const kept = nalUnits.filter((nalUnit) => {
    const first = nalUnit[0]!;
    if (codec === 'h264') return ![7, 8, 9].includes(first & 0x1f);
    return ![32, 33, 34, 35].includes((first >> 1) & 0x3f);
  });
  return Buffer.concat(kept.flatMap((nalUnit) => [Uint8Array.of(0, 0, 0, 1), nalUnit]));
}

/** NAL units behind four-byte lengths. */
function splitLengthPrefixed(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nalUnits: Uint8Array[] = [];
  for (let at = 0; at + 4 < bytes.length; ) {
    const size = view.getUint32(at);
    nalUnits.push(bytes.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return nalUnits;
}

/** NAL units behind start codes (H.264 Annex B); zero bytes at the end of one belong to the next start code. */
function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
  const nalUnits: Uint8Array[] = [];
  let start = -1;
  const finish = (end: number): void => {
    if (start < 0) return;
    while (end > start && bytes[end - 1] === 0) end--;
    if (end > start) nalUnits.push(bytes.subarray(start, end));
  };
  for (let at = 0; at + 2 < bytes.length; at++) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue;
    finish(at);
    start = at + 3;
    at += 2;
  }
  finish(bytes.length);
  return nalUnits;
}

/** The AAC frames of one packet; the times of those after the first follow from their lengths. Bare AAC stays as it is. */
function splitAdts(packet: DemuxedPacket): DemuxedPacket[] {
  const { data } = packet;
  if (data[0] !== 0xff || (data[1]! & 0xf6) !== 0xf0) return [packet];
  const frames: DemuxedPacket[] = [];
  for (let at = 0; at + 7 <= data.length; ) {
    const header = parseAdtsHeader(data, at);
    if (header === undefined) assert.fail(`no ADTS header at byte ${at} of a packet of ${data.length}`);
    const laterMs = (frames.length * 1024 * 1000) / header.sampleRate;
    const { isKeyFrame } = packet;
    frames.push({
      ptsMs: packet.ptsMs + laterMs,
      dtsMs: packet.dtsMs + laterMs,
      isKeyFrame,
      data: data.subarray(at + header.headerBytes, at + header.frameBytes),
    });
    at += header.frameBytes;
  }
  return frames;
}
