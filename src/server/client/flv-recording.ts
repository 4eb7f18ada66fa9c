import { FLV_AUDIO, FLV_VIDEO } from '../../format/flv/flv-codecs.tables.ts';
import type { FlvTag } from '../../format/flv/flv-reader.ts';
import { writeFlvHeader, writeFlvTag } from '../../format/flv/flv-tag.ts';
import { TagInspector } from './tag-inspector.ts';

/** How much media is held back to see whether it has both audio and video, milliseconds and bytes. */
const MAX_HELD_MS = 1_000;
const MAX_HELD_BYTES: number = 4 * 1024 * 1024;
/** Left between the last tag before a restart and the first after it, milliseconds: about a frame. */
const RESTART_GAP_MS = 40;

/**
 * Makes an FLV file of live tags: bodies untouched and in order, times moved so that the first frame is at 0. The first
 * second is held back, because the file's header says whether there is audio and video.
 */
export class FlvRecording {
  #inspector = new TagInspector();
  #held: { readonly tag: FlvTag; readonly isFrame: boolean }[] | undefined = [];
  #heldBytes = 0;
  /** Timestamp that becomes `#offsetMs`. */
  #baseMs: number | undefined;
  #offsetMs = 0;
  #lastMs = 0;

  /** Milliseconds from the first frame to the newest. */
  get durationMs(): number {
    return this.#lastMs;
  }

  /** Gives the bytes to write now, in new buffers. */
  push(tag: FlvTag): Uint8Array[] {
    const isFrame = this.#inspector.inspect(tag) !== 'other';
    if (this.#held === undefined) {
      // After a restart: the first frame says where the new times begin.
      if (isFrame) this.#baseMs ??= tag.timestamp;
      return [this.#write(tag, isFrame)];
    }
    this.#held.push({ tag, isFrame });
    this.#heldBytes += tag.body.length;
    return this.#isDecided() ? this.flush() : [];
  }

  /** The source was connected anew: its times begin anywhere and go on from here. */
  restart(): void {
    if (this.#held !== undefined) this.#held = [];
    this.#inspector = new TagInspector();
    this.#baseMs = undefined;
    this.#offsetMs = this.#lastMs === 0 ? 0 : this.#lastMs + RESTART_GAP_MS;
  }

  /** What is still held back; for a recording without any tag, the header alone. */
  flush(): Uint8Array[] {
    const held = this.#held;
    if (held === undefined) return [];
    this.#held = undefined;
    const frames = held.filter(({ isFrame }) => isFrame).map(({ tag }) => tag.timestamp);
    this.#baseMs = frames.reduce<number | undefined>(
      (least, time) => (least === undefined || distance(least, time) < 0 ? time : least),
      undefined,
    );
    const has = (typeId: number): boolean => held.some(({ tag }) => tag.typeId === typeId);
    return [
      writeFlvHeader({ hasAudio: has(FLV_AUDIO), hasVideo: has(FLV_VIDEO) }),
      ...held.map(({ tag, isFrame }) => this.#write(tag, isFrame)),
    ];
  }

  #isDecided(): boolean {
    const held = this.#held!;
    const frames = held.filter(({ isFrame }) => isFrame);
    const kinds = new Set(frames.map(({ tag }) => tag.typeId));
    if (kinds.size === 2 || this.#heldBytes > MAX_HELD_BYTES) return true;
    const [first, last] = [frames[0], frames.at(-1)];
    return first !== undefined && last !== undefined && distance(first.tag.timestamp, last.tag.timestamp) > MAX_HELD_MS;
  }

  #write(tag: FlvTag, isFrame: boolean): Uint8Array {
    // Configurations and metadata often carry 0 whatever the time is: they go where the recording stands.
    const fromBase = this.#baseMs === undefined ? 0 : Math.max(0, distance(this.#baseMs, tag.timestamp));
    const timestamp = isFrame ? fromBase + this.#offsetMs : Math.max(this.#lastMs, this.#offsetMs);
    if (isFrame) this.#lastMs = Math.max(this.#lastMs, timestamp);
    return writeFlvTag(tag.typeId, timestamp, [tag.body]);
  }
}

/** From one 32-bit timestamp to another, negative when `to` is the earlier. */
function distance(from: number, to: number): number {
  return (to - from) | 0;
}
