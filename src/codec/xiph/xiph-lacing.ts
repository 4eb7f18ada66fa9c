/** Most packets taken out of laced headers: Vorbis and Theora have three. */
export const MAX_LACED_PACKETS = 16;

/**
 * The packets of headers in Xiph lacing, as Matroska's CodecPrivate and `Track.config` have them: the number of packets
 * less one, the sizes of all but the last (each bytes of 255 and one below, their sum), the packets. Views; `undefined`
 * when the sizes do not come out.
 */
export function parseXiphLacing(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const count = (bytes[0] ?? MAX_LACED_PACKETS) + 1;
  if (count > MAX_LACED_PACKETS) return undefined;
  const sizes: number[] = [];
  let at = 1;
  while (sizes.length < count - 1) {
    let size = 0;
    let byte = 255;
    while (byte === 255) {
      const next = bytes[at++];
      if (next === undefined) return undefined;
      byte = next;
      size += byte;
    }
    sizes.push(size);
  }
  const packets: Uint8Array[] = [];
  for (const size of sizes) {
    if (size > bytes.length - at) return undefined;
    packets.push(bytes.subarray(at, at + size));
    at += size;
  }
  packets.push(bytes.subarray(at));
  return packets;
}

/** Packets (1–256) in Xiph lacing, in a new buffer. */
export function writeXiphLacing(packets: readonly Uint8Array[]): Uint8Array {
  const head: number[] = [packets.length - 1];
  let sizeBytes = 0;
  packets.forEach((packet, i) => {
    sizeBytes += packet.length;
    if (i === packets.length - 1) return;
    let size = packet.length;
    for (; size >= 255; size -= 255) head.push(255);
    head.push(size);
  });
  const bytes = new Uint8Array(head.length + sizeBytes);
  bytes.set(head);
  let at = head.length;
  for (const packet of packets) {
    bytes.set(packet, at);
    at += packet.length;
  }
  return bytes;
}
