import { StateError } from '../../wire/errors.ts';
import { parseAmf0 } from '../amf/amf0-reader.ts';
import { writeAmf0Values } from '../amf/amf0-writer.ts';
import { parseAmf3 } from '../amf/amf3-reader.ts';
import { RTMP_MESSAGE_TYPE } from './rtmp-message.ts';

const AMF0_STRING = 0x02;
/** FFmpeg's `timecode` data: four bytes, the first zero, no AMF. */
const TIMECODE_SIZE = 4;

/**
 * The AMF0 body of a data message, whichever type it came with: type 18 as it is, type 15 (AMF3) rewritten. Undefined
 * for what is no data message at all: empty, FFmpeg's four-byte timecode, or AMF3 that cannot be read or rewritten.
 */
export function toAmf0Data(typeId: number, payload: Uint8Array): Uint8Array | undefined {
  if (payload.length === 0 || (payload.length === TIMECODE_SIZE && payload[0] === 0)) return undefined;
  if (typeId !== RTMP_MESSAGE_TYPE.dataAmf3) return payload;
  // In practice the body of a type 15 message is a zero byte and AMF0, perhaps with AMF3 values inside.
  const isAmf0 = payload[0] === AMF0_STRING || payload[0] === 0;
  const { values, error } = isAmf0 ? parseAmf0(payload, payload[0] === 0 ? 1 : 0) : parseAmf3(payload);
  if (error !== undefined || typeof values[0] !== 'string') return undefined;
  try {
    return writeAmf0Values(values);
  } catch (cause) {
    // What shares its parts in ways only AMF3 can say may be too large in AMF0: then there is nothing to relay.
    if (cause instanceof StateError) return undefined;
    throw cause;
  }
}
