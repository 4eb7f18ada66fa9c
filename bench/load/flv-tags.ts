const TAG_HEADER_SIZE = 11;
const BACK_POINTER_SIZE = 4;

/** What an FLV byte stream with audio and video begins with (FLV v10.1 §E.2), first back pointer included. */
export const FLV_FILE_HEADER: Uint8Array = Uint8Array.from([0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0]);

/** Where the body starts in what `flvTag` makes. */
export const TAG_BODY_OFFSET: number = TAG_HEADER_SIZE;

/** One FLV tag with its back pointer (FLV v10.1 §E.4.1); its timestamp is 0. */
export function flvTag(type: number, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(TAG_HEADER_SIZE + body.length + BACK_POINTER_SIZE);
  const view = new DataView(out.buffer);
  view.setUint32(0, type * 0x1000000 + body.length);
  out.set(body, TAG_HEADER_SIZE);
  view.setUint32(TAG_HEADER_SIZE + body.length, TAG_HEADER_SIZE + body.length);
  return out;
}

/** Writes the timestamp into what `flvTag` made; its highest byte stands last. */
export function writeTagTimestamp(tag: Uint8Array, timestampMs: number): void {
  tag[4] = timestampMs >> 16;
  tag[5] = timestampMs >> 8;
  tag[6] = timestampMs;
  tag[7] = timestampMs >> 24;
}
