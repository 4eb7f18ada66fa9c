import { ByteReader } from '../../wire/byte-reader.ts';
import type { ByteWriter } from '../../wire/byte-writer.ts';
import { StateError } from '../../wire/errors.ts';
import { RTCP_TYPE, writeRtcpHeader } from './rtcp-header.ts';
import type { RtpErrorCode } from './rtp-error.ts';

/** Most items of one chunk that are kept; eight types are registered. */
export const MAX_SDES_ITEMS = 16;

const MAX_TEXT_BYTES = 255;
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Item types (RFC 3550 §6.5). */
export const SDES_ITEM = { cname: 1, name: 2, email: 3, phone: 4, loc: 5, tool: 6, note: 7, priv: 8 } as const;

/** One item: what a source says of itself. */
export interface SdesItem {
  /** 1–255, see `SDES_ITEM`. */
  readonly type: number;
  /** UTF-8, at most 255 bytes. */
  readonly text: string;
}

/** The items of one source. */
export interface SdesChunk {
  readonly ssrc: number;
  readonly items: readonly SdesItem[];
}

/**
 * SDES (RFC 3550 §6.5).
 *
 *     per chunk: SSRC(32)  {type(8) length(8) text}  0 and zeros up to a whole word
 */
export interface RtcpSourceDescription {
  readonly type: 'source-description';
  /** At most 31. */
  readonly chunks: readonly SdesChunk[];
}

/** Reads the body of an SDES, the part behind its header. */
export function parseSourceDescription(count: number, body: Uint8Array): RtcpSourceDescription | undefined {
  const reader = new ByteReader(body);
  const chunks: SdesChunk[] = [];
  for (let i = 0; i < count && !reader.overrun; i++) {
    const ssrc = reader.u32();
    const items: SdesItem[] = [];
    // The last chunk of some senders ends with the packet, without the zero.
    while (reader.remaining > 0) {
      const type = reader.u8();
      if (type === 0) break;
      const text = reader.view(reader.u8());
      if (!reader.overrun && items.length < MAX_SDES_ITEMS) items.push({ type, text: textDecoder.decode(text) });
    }
    reader.skip(Math.min(reader.remaining, (4 - (reader.offset & 3)) & 3));
    chunks.push({ ssrc, items });
  }
  return reader.overrun ? undefined : { type: 'source-description', chunks };
}

/**
 * @throws StateError `rtcp/too-many` for more than 31 chunks, `rtcp/bad-value` for a text over 255 bytes or a type that is
 * none
 */
export function writeSourceDescription(description: Omit<RtcpSourceDescription, 'type'>, out: ByteWriter): void {
  const { chunks } = description;
  const encoded = chunks.map(({ ssrc, items }) => ({ ssrc, items: items.map(encodeItem) }));
  let bodyBytes = 0;
  for (const { items } of encoded) bodyBytes += chunkBytes(items);
  writeRtcpHeader(out, RTCP_TYPE.sourceDescription, chunks.length, bodyBytes);
  for (const { ssrc, items } of encoded) {
    const end = out.length + chunkBytes(items);
    out.u32(ssrc);
    for (const { type, text } of items) out.u8(type).u8(text.length).raw(text);
    while (out.length < end) out.u8(0);
  }
}

/** What a text is put into to see how much of it fits. */
const measured: Uint8Array<ArrayBuffer> = new Uint8Array(MAX_TEXT_BYTES);

/** The beginning of a text that an item has room for, in whole characters. */
export function toSdesText(text: string): string {
  return text.slice(0, textEncoder.encodeInto(text, measured).read);
}

interface EncodedItem {
  readonly type: number;
  readonly text: Uint8Array;
}

function encodeItem({ type, text }: SdesItem): EncodedItem {
  const bytes = textEncoder.encode(text);
  if (bytes.length > MAX_TEXT_BYTES || type < 1 || type > 255) {
    throw new StateError('rtcp/bad-value' satisfies RtpErrorCode, `an item ${type} of ${bytes.length} bytes`);
  }
  return { type, text: bytes };
}

/** With one zero at least. */
function chunkBytes(items: readonly EncodedItem[]): number {
  let sizeBytes = 4 + 1;
  for (const { text } of items) sizeBytes += 2 + text.length;
  return 4 * Math.ceil(sizeBytes / 4);
}
