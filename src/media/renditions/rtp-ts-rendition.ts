import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import type { Packetizer } from '../../protocol/rtp/payload/packetizer.ts';
import { packetizerOf } from '../../protocol/rtp/payload/payload-formats.ts';
import type { SrtpSender } from '../../protocol/srtp/srtp-sender.ts';
import type { ContainerWriter } from '../container-writer.ts';
import { DEFAULT_SELECTION, type StreamHeader } from '../stream-header.ts';
import { RtpPacketWriter } from './rtp-packet-writer.ts';
import { type RtpPresentation, type RtpTrack, toRtpTimestamp } from './rtp-presentation.ts';
import type { RtpSenderClock } from './rtp-sender-clock.ts';
import { TsContainerWriter } from './ts-rendition.ts';

/** A whole transport stream as the one track RTP players know of it. */
export const TRANSPORT_STREAM_TRACK: Track = {
  kind: 'video',
  trackId: 0,
  codec: 'mp2t',
  config: new Uint8Array(0),
};

/** A header with nothing but `TRANSPORT_STREAM_TRACK`. */
export const TRANSPORT_STREAM_HEADER: StreamHeader = { tracks: [TRANSPORT_STREAM_TRACK], metadata: undefined };

export interface RtpTsRenditionOptions {
  /** Of `TRANSPORT_STREAM_HEADER`. */
  readonly presentation: RtpPresentation;
  readonly clock: RtpSenderClock;
  readonly maxPacketBytes?: number | undefined;
  /** Makes SRTP of it. */
  readonly protector?: SrtpSender | undefined;
}

/** A stream as an MPEG transport stream in RTP (RFC 2250 §2), each packet as an interleaved frame on channel 0. */
export class RtpTsContainerWriter implements ContainerWriter {
  readonly #rtp: RtpTrack;
  readonly #clock: RtpSenderClock;
  readonly #packets: RtpPacketWriter;
  readonly #packetizer: Packetizer = packetizerOf(TRANSPORT_STREAM_TRACK)!;
  readonly #ts = new TsContainerWriter(DEFAULT_SELECTION);

  constructor(options: RtpTsRenditionOptions) {
    this.#rtp = options.presentation.tracks[0]!;
    this.#clock = options.clock;
    this.#packets = new RtpPacketWriter(options.maxPacketBytes, options.protector);
  }

  writeHeader(): Uint8Array {
    return this.#ts.writeHeader();
  }

  writeHeaderUpdate(): Uint8Array {
    return this.#ts.writeHeaderUpdate();
  }

  writeFrame(frame: Frame, header: StreamHeader): Uint8Array {
    const bytes = this.#ts.writeFrame(frame, header);
    if (bytes.length === 0) return bytes;
    this.#clock.note(frame.dtsUs);
    this.#packets.begin(this.#rtp, toRtpTimestamp(this.#rtp, frame.dtsUs), bytes.length);
    this.#packetizer.write(bytes, frame.isKeyFrame, this.#packets);
    return this.#packets.finish();
  }
}
