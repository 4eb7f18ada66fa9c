import { ByteReader } from '../../wire/byte-reader.ts';
import type { ByteWriter } from '../../wire/byte-writer.ts';
import { StateError } from '../../wire/errors.ts';
import { RTCP_TYPE, writeRtcpHeader } from './rtcp-header.ts';
import type { RtpErrorCode } from './rtp-error.ts';

const NAME_BYTES = 4;

/**
 * APP: something of one application's own (RFC 3550 §6.7).
 *
 *     SSRC(32)  name(32, ASCII)  data
 */
export interface RtcpApplicationDefined {
  readonly type: 'application-defined';
  /** 0–31. */
  readonly subtype: number;
  readonly ssrc: number;
  /** Four characters of one byte each. */
  readonly name: string;
  /** Whole words. When read, a view of the packet. */
  readonly data: Uint8Array;
}

/** Reads the body of an APP, the part behind its header. */
export function parseApplicationDefined(subtype: number, body: Uint8Array): RtcpApplicationDefined | undefined {
  const reader = new ByteReader(body);
  const ssrc = reader.u32();
  const name = String.fromCharCode(...reader.view(NAME_BYTES));
  const data = reader.view(reader.remaining);
  return reader.overrun ? undefined : { type: 'application-defined', subtype, ssrc, name, data };
}

/**
 * @throws StateError `rtcp/too-many` for a subtype over 31, `rtcp/bad-value` for a name that is not four characters of one
 * byte each, or data that is not whole words
 */
export function writeApplicationDefined(packet: Omit<RtcpApplicationDefined, 'type'>, out: ByteWriter): void {
  const { subtype, ssrc, name, data } = packet;
  const codes = Array.from(name, (character) => character.codePointAt(0)!);
  if (codes.length !== NAME_BYTES || codes.some((code) => code > 255) || data.length % 4 !== 0) {
    throw new StateError('rtcp/bad-value' satisfies RtpErrorCode, `"${name}" with ${data.length} bytes`);
  }
  writeRtcpHeader(out, RTCP_TYPE.applicationDefined, subtype, 8 + data.length);
  out.u32(ssrc);
  for (const code of codes) out.u8(code);
  out.raw(data);
}
