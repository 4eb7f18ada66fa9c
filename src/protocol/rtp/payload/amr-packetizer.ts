import { type AmrCodec, amrFrameBytes, amrFrameType, isAmrSpeech } from '../../../codec/amr/amr-frame.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';

/** CMR 15: no mode is asked for. Behind it four zero bits. */
const NO_MODE_REQUEST = 0xf0;

/** FT and Q, which stand in a table-of-contents entry where they stand in the header byte of the storage format. */
const TYPE_AND_QUALITY = 0x7c;

/**
 * AMR and AMR-WB in octet-aligned mode (RFC 4867 §4.4), a frame a packet. The marker stands on the first packet of speech
 * after silence (§4.1).
 *
 *     CMR(4)=15 0(4)   F(1)=0 FT(4) Q(1) 0(2)   speech bits
 */
export class AmrPacketizer implements Packetizer {
  readonly #codec: AmrCodec;
  #wasSpeech = false;

  constructor(codec: AmrCodec) {
    this.#codec = codec;
  }

  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    const header = payload[0];
    const size = header === undefined ? undefined : amrFrameBytes(this.#codec, header);
    if (header === undefined || size === undefined || payload.length < size || size >= out.maxPayloadSize) return;
    const isSpeech = isAmrSpeech(this.#codec, amrFrameType(header));
    out.open();
    out.u8(NO_MODE_REQUEST);
    out.u8(header & TYPE_AND_QUALITY);
    out.raw(payload, 1, size);
    out.close(isSpeech && !this.#wasSpeech);
    this.#wasSpeech = isSpeech;
  }
}
