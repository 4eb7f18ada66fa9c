import { HeaderExtensionWriter } from '../protocol/rtp/extensions/header-extension-writer.ts';
import type { RtpPacketView } from '../protocol/rtp/rtp-packet-view.ts';
import { setU32 } from '../wire/big-endian.ts';
import { headerExtensionId, type RtpParameters } from './transports/rtp-parameters.ts';

/** mediasoup's own. */
const PACKET_ID_URI = 'urn:mediasoup:params:rtp-hdrext:packet-id';
/** Longest packet with an id; longer ones, which only applications can send, go without. */
const MAX_PACKET_BYTES = 0xffff;
const ID_BYTES = 4;
const LAST_ID = 255;

/**
 * Gives packets an id by which they are known in every router they come to: mediasoup's own header extension, an unsigned
 * number of 32 bits. It is written once, as if the sender had, and not for each viewer.
 */
export class PacketIdWriter {
  /** What the sender agreed on, and the extension. */
  readonly rtpParameters: RtpParameters;
  readonly #nextId: () => number;
  readonly #extensions: HeaderExtensionWriter;
  readonly #bytes = new Uint8Array(MAX_PACKET_BYTES);

  /** @param nextId of the worker: no two packets in it have the same */
  constructor(rtpParameters: RtpParameters, nextId: () => number) {
    const known = rtpParameters.headerExtensions ?? [];
    const uri = PACKET_ID_URI;
    const id = headerExtensionId(rtpParameters, uri) || freeId(known);
    this.rtpParameters = {
      ...rtpParameters,
      headerExtensions: [...known.filter((extension) => extension.uri !== uri), { uri, id }],
    };
    this.#nextId = nextId;
    this.#extensions = new HeaderExtensionWriter({
      ids: new Map(known.map((extension) => [extension.id, extension.id])),
      own: [{ id, data: new Uint8Array(ID_BYTES) }],
      allowTwoByte: true,
    });
  }

  /** Sets the view on a copy of its packet that has an id, good until the next call. */
  write(view: RtpPacketView): void {
    const out = this.#bytes;
    const payloadAt = this.#extensions.write(view, out, 0);
    if (payloadAt < 0) return;
    setU32(out, this.#extensions.ownDataOffset(0), this.#nextId());
    const payload = view.bytes.subarray(view.payloadStart, view.payloadEnd);
    out.set(payload, payloadAt);
    view.look(out, 0, payloadAt + payload.length);
  }
}

/** The least that nothing else has. */
function freeId(known: readonly { readonly id: number }[]): number {
  let id = 1;
  while (id < LAST_ID && known.some((extension) => extension.id === id)) id++;
  return id;
}
