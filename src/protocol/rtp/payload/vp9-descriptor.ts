import { pictureIdBytes } from './vp-picture-id.ts';

/** Bits of the first byte of a VP9 payload descriptor (RFC 9628 §4.2). */
export const VP9 = {
  hasPictureId: 0x80,
  interPicturePredicted: 0x40,
  hasLayers: 0x20,
  flexible: 0x10,
  start: 0x08,
  end: 0x04,
  hasScalability: 0x02,
} as const;

const MAX_REFERENCES = 3;

/** Spatial layer of a packet; 0 for streams without layers and packets too short to say. */
export function vp9SpatialId(payload: Uint8Array): number {
  if ((payload[0]! & VP9.hasLayers) === 0) return 0;
  const at = (payload[0]! & VP9.hasPictureId) === 0 ? 1 : 1 + pictureIdBytes(payload[1] ?? 0);
  return ((payload[at] ?? 0) >>> 1) & 7;
}

/** Bytes of a scalability structure at `at` (§4.2.1); what is beyond the end counts as zeros. */
function scalabilityBytes(payload: Uint8Array, at: number): number {
  const head = payload[at] ?? 0;
  let end = at + 1;
  if ((head & 0x10) !== 0) end += 4 * ((head >>> 5) + 1);
  if ((head & 0x08) !== 0) {
    const pictures = payload[end++] ?? 0;
    // Each picture has a byte and up to three references more.
    for (let i = 0; i < pictures && end < payload.length; i++) end += 1 + ((payload[end]! >>> 2) & 3);
  }
  return end - at;
}

/**
 * Bytes of the payload descriptor (§4.2), or 0 when it is cut off.
 *
 *     I(1) P(1) L(1) F(1) B(1) E(1) V(1) Z(1)  [M(1) picture id(7/15)]  [TID(3) U(1) SID(3) D(1) [TL0PICIDX(8)]]
 *     flexible and predicted: {reference(7) more(1)}  V: scalability structure
 */
export function vp9DescriptorBytes(payload: Uint8Array): number {
  const flags = payload[0]!;
  const isFlexible = (flags & VP9.flexible) !== 0;
  let at = 1;
  if ((flags & VP9.hasPictureId) !== 0) at += pictureIdBytes(payload[at] ?? 0);
  if ((flags & VP9.hasLayers) !== 0) at += isFlexible ? 1 : 2;
  if (isFlexible && (flags & VP9.interPicturePredicted) !== 0) {
    for (let i = 0; i < MAX_REFERENCES; i++) if (((payload[at++] ?? 0) & 1) === 0) break;
  }
  if ((flags & VP9.hasScalability) !== 0) at += scalabilityBytes(payload, at);
  return at <= payload.length ? at : 0;
}
