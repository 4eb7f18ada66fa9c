import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import type { Packetizer } from '../../protocol/rtp/payload/packetizer.ts';
import { packetizerOf } from '../../protocol/rtp/payload/payload-formats.ts';
import type { SrtpSender } from '../../protocol/srtp/srtp-sender.ts';
import { equalBytes } from '../../wire/equal-bytes.ts';
import { joinNeighbours } from '../../wire/join-neighbours.ts';
import type { ContainerWriter } from '../container-writer.ts';
import type { StreamHeader } from '../stream-header.ts';
import { RtpPacketWriter } from './rtp-packet-writer.ts';
import { isSameFormat, type RtpPresentation, type RtpTrack, toRtpTimestamp } from './rtp-presentation.ts';
import type { RtpSenderClock } from './rtp-sender-clock.ts';

/**
 * Sound whose time is this near to where the unit before it ends follows it without a gap, microseconds: RTMP tells
 * times in milliseconds, and players should not hear the rounding.
 */
const GAPLESS_US = 5_000;

/** Sound that goes into one packet, microseconds: what is lost with it, and what a lost one more costs to conceal. */
const MAX_BUNDLE_US = 100_000;

/** What formats put in front of a unit among others, bytes at most. */
const BUNDLED_UNIT_HEADER_BYTES = 4;

export interface RtpRenditionOptions {
  readonly presentation: RtpPresentation;
  readonly clock: RtpSenderClock;
  /** Most bytes of an RTP packet with its header; `DEFAULT_RTP_PACKET_BYTES` if undefined. */
  readonly maxPacketBytes?: number | undefined;
  /** Makes SRTP of it. */
  readonly protector?: SrtpSender | undefined;
  /**
   * Hold sound back to send several units in one packet, until `writeHeldBack` is called; by default each frame is
   * written at once.
   */
  readonly bundles?: boolean;
  /** Called once, when the stream became something the SDP of the presentation does not describe; nothing more is written. */
  readonly onOutdated: () => void;
}

/**
 * A stream as the RTP packets of all its tracks (RFC 3550), each as an interleaved frame of RFC 2326 §10.12 on channel
 * 2 × (index of the track in the presentation). A frame's packets lie side by side, and so do most frames, so that
 * what is joined for viewers seldom has to be copied.
 */
export class RtpContainerWriter implements ContainerWriter {
  readonly #presentation: RtpPresentation;
  readonly #clock: RtpSenderClock;
  readonly #onOutdated: () => void;
  readonly #packets: RtpPacketWriter;
  readonly #writers = new Map<RtpTrack, TrackWriter>();
  #header: StreamHeader | undefined;
  /** The stream is at this point what the SDP says. */
  #isTrue = true;
  #isLive = false;
  #isOutdated = false;

  constructor(options: RtpRenditionOptions) {
    this.#presentation = options.presentation;
    this.#clock = options.clock;
    this.#onOutdated = options.onOutdated;
    this.#packets = new RtpPacketWriter(options.maxPacketBytes, options.protector);
    for (const rtp of options.presentation.tracks)
      this.#writers.set(rtp, new TrackWriter(rtp, this.#packets, options.bundles === true));
  }

  /** RTP has no header: what a player must know it was told by SDP. */
  writeHeader(): Uint8Array {
    return NOTHING;
  }

  writeHeaderUpdate(): Uint8Array {
    return NOTHING;
  }

  /**
   * What the stream held when the rendition was made has been written. Until then tracks that were not yet what the SDP
   * says are only left out.
   */
  goLive(): void {
    this.#isLive = true;
    if (!this.#isTrue) this.#becomeOutdated();
  }

  writeFrame(frame: Frame, header: StreamHeader): Uint8Array {
    if (header !== this.#header) {
      this.#header = header;
      this.#isTrue = this.#presentation.isTrueFor(header);
      if (!this.#isTrue && this.#isLive) this.#becomeOutdated();
    }
    if (this.#isOutdated) return NOTHING;
    const rtp = this.#presentation.trackFor(frame.track);
    if (rtp === undefined || (!this.#isTrue && !isSameFormat(rtp, frame.track))) return NOTHING;
    this.#clock.note(frame.dtsUs);
    return this.#writers.get(rtp)!.write(frame);
  }

  writeHeldBack(): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const writer of this.#writers.values()) if (writer.holdsBack) parts.push(writer.writeHeldBack());
    return parts.length === 0 ? NOTHING : joinNeighbours(parts);
  }

  #becomeOutdated(): void {
    if (this.#isOutdated) return;
    this.#isOutdated = true;
    this.#onOutdated();
  }
}

/** Packetizes one track. */
class TrackWriter {
  readonly #rtp: RtpTrack;
  readonly #packets: RtpPacketWriter;
  readonly #bundles: boolean;
  #track: Track;
  #packetizer: Packetizer;
  /** Where the unit written last ends, RTP clock units from stream time 0. */
  #nextTime = Number.NaN;
  /** Units that wait for more, without a gap between them. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #heldTimestamp = 0;

  constructor(rtp: RtpTrack, packets: RtpPacketWriter, bundles: boolean) {
    this.#rtp = rtp;
    this.#packets = packets;
    this.#bundles = bundles && rtp.unitDuration > 0;
    this.#track = rtp.track;
    this.#packetizer = packetizerOf(rtp.track)!;
  }

  get holdsBack(): boolean {
    return this.#held.length > 0;
  }

  write(frame: Frame): Uint8Array {
    let written = frame.track === this.#track ? NOTHING : this.#follow(frame.track);
    const gaplessTime = this.#nextTime;
    const timestamp = this.#timestampOf(frame);
    if (!this.#bundles || this.#packetizer.writeUnits === undefined) {
      this.#packets.begin(this.#rtp, timestamp, frame.payload.length);
      this.#packetizer.write(frame.payload, frame.isKeyFrame, this.#packets);
      return this.#packets.finish();
    }
    const isNext = timestamp - this.#rtp.timestampOffset === gaplessTime;
    // Who has followed another track holds nothing back any more.
    if (this.holdsBack && (!isNext || !this.#hasRoomFor(frame.payload))) written = this.writeHeldBack();
    if (!this.holdsBack) this.#heldTimestamp = timestamp;
    this.#held.push(frame.payload);
    this.#heldBytes += frame.payload.length;
    return written;
  }

  /** Call only when something `holdsBack`. */
  writeHeldBack(): Uint8Array {
    const units = this.#held;
    this.#packets.begin(this.#rtp, this.#heldTimestamp, this.#heldBytes);
    this.#packetizer.writeUnits!(units, this.#rtp.unitDuration, this.#packets);
    this.#held = [];
    this.#heldBytes = 0;
    return this.#packets.finish();
  }

  /** Whether one packet can hold it beside those that wait. */
  #hasRoomFor(payload: Uint8Array): boolean {
    const units = this.#held.length + 1;
    const durationUs = (units * this.#rtp.unitDuration * 1_000_000) / this.#rtp.mapping.clockRate;
    const sizeBytes = this.#heldBytes + payload.length + units * BUNDLED_UNIT_HEADER_BYTES;
    return durationUs <= MAX_BUNDLE_US && sizeBytes <= this.#packets.maxPayloadSize;
  }

  /** @returns what was still held back of what the track was before */
  #follow(track: Track): Uint8Array {
    const before = this.#track;
    this.#track = track;
    if (equalBytes(before.config, track.config)) return NOTHING;
    const written = this.holdsBack ? this.writeHeldBack() : NOTHING;
    // From here on key frames bring along what SDP did not tell; also when it is again what SDP told, for those who have
    // seen the other one.
    this.#packetizer = packetizerOf(track, true) ?? this.#packetizer;
    return written;
  }

  #timestampOf(frame: Frame): number {
    const { unitDuration, timestampOffset, mapping } = this.#rtp;
    if (unitDuration === 0) return toRtpTimestamp(this.#rtp, frame.ptsUs);
    let time = Math.round((frame.ptsUs * mapping.clockRate) / 1_000_000);
    if (Math.abs(time - this.#nextTime) * 1_000_000 <= GAPLESS_US * mapping.clockRate) time = this.#nextTime;
    this.#nextTime = time + unitDuration;
    return timestampOffset + time;
  }
}

const NOTHING = new Uint8Array(0);
