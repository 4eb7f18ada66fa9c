import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { Frame } from '../../../src/codec/frame.ts';
import type { Track } from '../../../src/codec/track.ts';
import type { FlvMalformedReason } from '../../../src/format/flv/flv-demux-event.ts';
import { FlvDemuxer } from '../../../src/format/flv/flv-demuxer.ts';
import { FlvReader } from '../../../src/format/flv/flv-reader.ts';

/** What an FLV byte stream held. */
export interface FlvContent {
  /** The newest configuration of the default track of each kind. */
  readonly videoTrack: Track | undefined;
  readonly audioTrack: Track | undefined;
  readonly video: readonly Frame[];
  readonly audio: readonly Frame[];
  /** What the file header promises; undefined for RTMP. */
  readonly flags: { readonly hasAudio: boolean; readonly hasVideo: boolean } | undefined;
}

/** Collects the frames of an FLV byte stream that comes in pieces. Bytes that are no FLV fail the test. */
export class FlvCollector implements FlvContent {
  videoTrack: Track | undefined;
  audioTrack: Track | undefined;
  readonly video: Frame[] = [];
  readonly audio: Frame[] = [];
  flags: FlvContent['flags'];
  readonly #reader = new FlvReader();
  readonly #demuxer = new FlvDemuxer();
  readonly #tolerated: readonly FlvMalformedReason[];

  /** @param tolerated flaws of the writer that are none of the test's business */
  constructor(tolerated: readonly FlvMalformedReason[] = []) {
    this.#tolerated = tolerated;
  }

  receive(bytes: Uint8Array): void {
    for (const event of this.#reader.receive(bytes)) {
      if (event.type === 'failed') assert.fail(`not FLV: ${event.error.message}`);
      if (event.type === 'header') this.flags = { hasAudio: event.hasAudio, hasVideo: event.hasVideo };
      if (event.type === 'tag') this.push(event.typeId, event.timestamp, event.body);
    }
  }

  /** Takes one tag, or one RTMP message. */
  push(typeId: 8 | 9 | 18, timestamp: number, body: Uint8Array): void {
    for (const event of this.#demuxer.demux(typeId, timestamp, body)) {
      if (event.type === 'malformed' && !this.#tolerated.includes(event.reason))
        assert.fail(`malformed tag at ${timestamp}: ${event.reason}`);
      if (event.type === 'track') {
        if (event.track.kind === 'video') this.videoTrack = event.track;
        else this.audioTrack = event.track;
      }
      if (event.type === 'frame') (event.frame.track.kind === 'video' ? this.video : this.audio).push(event.frame);
    }
  }
}

export async function readFlvFile(path: string, tolerated?: readonly FlvMalformedReason[]): Promise<FlvContent> {
  const collector = new FlvCollector(tolerated);
  collector.receive(await readFile(path));
  return collector;
}
