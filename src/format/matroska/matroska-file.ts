import { stripTemporalDelimiters } from '../../codec/av1/obu.ts';
import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import { FileWindow } from '../file-window.ts';
import type { MediaFile, RandomAccess } from '../media-file.ts';
import { toNetworkOrder } from '../mp4/sample-order.ts';
import { splitLaces } from './block-lacing.ts';
import { type Block, BlockReader } from './block-reader.ts';
import { matroskaError } from './matroska-error.ts';
import { PlaceIndex } from './place-index.ts';
import { lastTimeUs, probeTracks } from './probe.ts';
import { readSegment, type Segment } from './segment.ts';
import { TimeLine } from './time-line.ts';
import { TrackPlayer } from './track-player.ts';

/**
 * Opens a Matroska or WebM file (RFC 9559, RFC 8794), with or without cues, with clusters of unknown size too.
 *
 * Frames come as stored. Matroska has presentation times only: decode times are worked out, and times of audio made exact
 * again that were rounded to the file's clock. What the decoder throws away in front (CodecDelay) counts as before 0, which
 * reads 0. Left out are tracks that are encrypted or compressed, other segments behind the first, and linked ones.
 *
 * @throws ProtocolError with a `MatroskaErrorCode`
 */
export async function openMatroskaFile(file: RandomAccess): Promise<MediaFile> {
  const window = new FileWindow(file);
  const segment = await readSegment(window);
  const probe = await probeTracks(window, segment);
  if (probe.firstUs === undefined) throw matroskaError('matroska/no-playable-track', 'no track has blocks');
  const times = new TimeLine(segment.timestampScaleNs, probe.firstUs);
  const players = probe.tracks.map((one) => new TrackPlayer(one, times));
  const toldUs = segment.duration > 0 ? times.toUs(segment.duration) : 0;
  const endUs = toldUs > 0 ? toldUs : await lastTimeUs(window, segment, times);
  return new MatroskaFile(window, segment, times, players, endUs);
}

class MatroskaFile implements MediaFile {
  readonly tracks: readonly Track[];
  readonly durationUs: number | undefined;
  readonly isSeekable = true;
  readonly seekPointsUs: readonly number[] | undefined;
  readonly #window: FileWindow;
  readonly #segment: Segment;
  readonly #times: TimeLine;
  readonly #players: ReadonlyMap<number, TrackPlayer>;
  /** Seeks go by its key frames. */
  readonly #reference: TrackPlayer;
  readonly #index: PlaceIndex;
  readonly #reader: BlockReader;
  /** Frames of the last block that are still to be given. */
  #waiting: Frame[] = [];
  #firstKeyUs: number | undefined;

  constructor(
    window: FileWindow,
    segment: Segment,
    times: TimeLine,
    players: readonly TrackPlayer[],
    durationUs: number | undefined,
  ) {
    this.#window = window;
    this.#segment = segment;
    this.#times = times;
    this.tracks = players.map((player) => player.track);
    this.durationUs = durationUs;
    this.#players = new Map(players.map((player) => [player.number, player]));
    this.#reference = players.find((player) => player.track.kind === 'video') ?? players[0]!;
    this.#index = new PlaceIndex(window, segment, times, this.#reference.number);
    const isVideo = this.#reference.track.kind === 'video';
    this.seekPointsUs = isVideo ? this.#index.cuePointsUs : undefined;
    this.#reader = new BlockReader(window);
    this.#reader.moveToElement(segment.firstClusterOffset);
  }

  async seek(targetUs: number): Promise<number> {
    const block = targetUs <= 0 ? undefined : await this.#findKeyFrame(targetUs);
    this.#waiting = [];
    for (const player of this.#players.values()) player.reset();
    this.#reader.moveToElement(this.#segment.firstClusterOffset);
    if (block !== undefined) {
      const landedUs = this.#reference.storedUs(block);
      if (landedUs > (await this.#firstReferenceUs())) {
        for (const player of this.#players.values()) player.startAt(landedUs);
        this.#reader.moveTo(block.place);
      }
    }
    const first = await this.next();
    if (first !== undefined) this.#waiting.unshift(first);
    return first?.ptsUs ?? 0;
  }

  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#waiting.shift();
      if (frame !== undefined) return frame;
      const block = await this.#reader.next();
      if (block === undefined) return undefined;
      const player = this.#players.get(block.trackNumber);
      if (player?.isWanted(block) === true) this.#waiting = player.frames(block, await this.#payloads(block, player));
    }
  }

  /** The frames of a block, in buffers of their own. */
  async #payloads(block: Block, player: TrackPlayer): Promise<Uint8Array[]> {
    const { payloadOffset, payloadBytes, lacing } = block;
    const laces = splitLaces((await this.#window.view(payloadOffset, payloadBytes)).slice(), lacing);
    if (laces === undefined) {
      throw matroskaError('matroska/bad-block', `the frames of the block at byte ${block.place.offset} do not add up`);
    }
    const { strippedHeader, coding } = player.entry;
    return laces.map((lace) => {
      const whole = strippedHeader.length === 0 ? lace : joinBytes([strippedHeader, lace]);
      if (coding.plain !== undefined) toNetworkOrder(whole, coding.plain.order);
      return coding.codec === 'av1' ? stripTemporalDelimiters(whole) : whole;
    });
  }

  /** The last block with a key frame of the reference track at or before `targetUs`. */
  async #findKeyFrame(targetUs: number): Promise<Block | undefined> {
    for await (const { offset, end } of this.#index.placesBefore(targetUs)) {
      const found = await this.#lastKeyFrame(offset, end, targetUs);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Looks through the blocks from a cluster on, up to `end` or what lies behind the target. */
  async #lastKeyFrame(offset: number, end: number, targetUs: number): Promise<Block | undefined> {
    const reader = new BlockReader(this.#window);
    reader.moveToElement(offset);
    let found: Block | undefined;
    for (;;) {
      const block = await reader.next();
      if (block === undefined || block.place.offset >= end) return found;
      if (this.#times.toUs(reader.clusterTimestamp) > targetUs && found !== undefined) return found;
      if (block.trackNumber !== this.#reference.number) continue;
      if (!this.#reference.isKeyFrame(block)) continue;
      if (this.#reference.storedUs(block) > targetUs) return found;
      found = block;
    }
  }

  /** Time of the first key frame of the reference track: who seeks to it gets everything from the beginning. */
  async #firstReferenceUs(): Promise<number> {
    if (this.#firstKeyUs !== undefined) return this.#firstKeyUs;
    const reader = new BlockReader(this.#window);
    reader.moveToElement(this.#segment.firstClusterOffset);
    this.#firstKeyUs = Number.NEGATIVE_INFINITY;
    for (;;) {
      const block = await reader.next();
      if (block === undefined) break;
      if (block.trackNumber !== this.#reference.number || !this.#reference.isKeyFrame(block)) continue;
      this.#firstKeyUs = this.#reference.storedUs(block);
      break;
    }
    return this.#firstKeyUs;
  }
}
