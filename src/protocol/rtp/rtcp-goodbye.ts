import { ByteReader } from '../../wire/byte-reader.ts';
import type { ByteWriter } from '../../wire/byte-writer.ts';
import { StateError } from '../../wire/errors.ts';
import { RTCP_TYPE, writeRtcpHeader } from './rtcp-header.ts';
import type { RtpErrorCode } from './rtp-error.ts';

const MAX_REASON_BYTES = 255;
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * BYE: sources that end (RFC 3550 §6.6).
 *
 *     SSRC(32) × count  [length(8) reason, zeros up to a whole word]
 */
export interface RtcpGoodbye {
  readonly type: 'goodbye';
  /** At most 31. */
  readonly ssrcs: readonly number[];
  /** UTF-8, at most 255 bytes. */
  readonly reason?: string;
}

/** Reads the body of a BYE, the part behind its header. A reason that is cut off is left out. */
export function parseGoodbye(count: number, body: Uint8Array): RtcpGoodbye | undefined {
  const reader = new ByteReader(body);
  const ssrcs: number[] = [];
  for (let i = 0; i < count && !reader.overrun; i++) ssrcs.push(reader.u32());
  if (reader.overrun) return undefined;
  if (reader.remaining === 0) return { type: 'goodbye', ssrcs };
  const reason = reader.view(reader.u8());
  return { type: 'goodbye', ssrcs, ...(!reader.overrun && { reason: textDecoder.decode(reason) }) };
}

/** @throws StateError `rtcp/too-many` for more than 31 sources, `rtcp/bad-value` for a reason over 255 bytes */
export function writeGoodbye(goodbye: Omit<RtcpGoodbye, 'type'>, out: ByteWriter): void {
  const { ssrcs } = goodbye;
  const reason = goodbye.reason === undefined ? undefined : textEncoder.encode(goodbye.reason);
  if (reason !== undefined && reason.length > MAX_REASON_BYTES) {
    throw new StateError('rtcp/bad-value' satisfies RtpErrorCode, `a reason of ${reason.length} bytes`);
  }
  const reasonBytes = reason === undefined ? 0 : 4 * Math.ceil((1 + reason.length) / 4);
  writeRtcpHeader(out, RTCP_TYPE.goodbye, ssrcs.length, 4 * ssrcs.length + reasonBytes);
  for (const ssrc of ssrcs) out.u32(ssrc);
  if (reason === undefined) return;
  out.u8(reason.length).raw(reason);
  for (let i = 1 + reason.length; i < reasonBytes; i++) out.u8(0);
}
