import { wholeDifFrame } from '../../../codec/dv/dif-frame.ts';
import { DIF_BLOCK_BYTES, dvDetails, dvSystemOf, isFirstDifBlock } from '../../../codec/dv/dv-system.ts';
import type { Track } from '../../../codec/track.ts';
import type { Depacketizer } from './depacketizer.ts';
import { isNamed } from './mapping-parameters.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';
import { UnitBuffer } from './unit-buffer.ts';
import { type AssembledUnit, type UnitAssembler, UnitDepacketizer } from './unit-depacketizer.ts';
import { VIDEO_CLOCK_RATE } from './video-track.ts';

const ENCODING_NAME = 'DV';

/** As many whole DIF blocks as there is room for, in their order (RFC 6469 §2.2); bytes behind the last whole one stay. */
class DvPacketizer implements Packetizer {
  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    const step = Math.max(1, Math.floor(out.maxPayloadSize / DIF_BLOCK_BYTES)) * DIF_BLOCK_BYTES;
    const size = payload.length - (payload.length % DIF_BLOCK_BYTES);
    for (let at = 0; at < size; at += step) {
      const end = Math.min(at + step, size);
      out.open();
      out.raw(payload, at, end);
      out.close(end === size);
    }
  }
}

/** Frames out of DIF blocks; blocks with sound, which senders may leave out, are put in without any. */
class DvAssembler implements UnitAssembler {
  readonly isEndable: boolean = true;
  readonly #frame: UnitBuffer = new UnitBuffer();

  isStart(payload: Uint8Array): boolean {
    return isFirstDifBlock(payload);
  }

  add(payload: Uint8Array): boolean {
    return payload.length % DIF_BLOCK_BYTES === 0 && this.#frame.append(payload);
  }

  finish(): AssembledUnit | undefined {
    const whole = wholeDifFrame(this.#frame.bytes);
    const payload = whole?.buffer === this.#frame.bytes.buffer ? this.#frame.take() : whole;
    this.reset();
    return payload && { payload, isKeyFrame: true };
  }

  reset(): void {
    this.#frame.clear();
  }
}

/** DV (RFC 6469), picture and sound in one stream. The system goes in SDP, as `encode`. */
export const DV_FORMAT: PayloadFormat = {
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
    const system = track.codec === 'dv' && track.video ? dvSystemOf(track.video) : undefined;
    if (system === undefined) return undefined;
    return {
      payloadType: dynamicPayloadType,
      encodingName: ENCODING_NAME,
      clockRate: VIDEO_CLOCK_RATE,
      parameters: new Map([
        ['encode', system],
        ['audio', 'bundled'],
      ]),
    };
  },

  makePacketizer(): Packetizer {
    return new DvPacketizer();
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    if (!isNamed(mapping, ENCODING_NAME)) return undefined;
    const video = dvDetails(mapping.parameters.get('encode')?.trim() ?? '');
    return { kind: 'video', trackId, codec: 'dv', config: new Uint8Array(0), ...(video && { video }) };
  },

  makeDepacketizer(): Depacketizer {
    return new UnitDepacketizer(new DvAssembler());
  },
};
