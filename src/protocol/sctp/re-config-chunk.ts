import { getU16, getU32 } from '../../wire/big-endian.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { CHUNK_TYPE } from './chunk-type.ts';
import { CHUNK_HEADER_BYTES, paddedSize } from './packet-builder.ts';

/** Parameters of RE-CONFIG (RFC 6525 §4), and one of a type not known here. */
export type ReConfigParameter =
  | {
      readonly type: 'outgoing-reset';
      readonly requestSequence: number;
      readonly responseSequence: number;
      readonly lastAssignedTsn: number;
      /** Empty for all. */
      readonly streamIds: readonly number[];
    }
  | { readonly type: 'incoming-reset'; readonly requestSequence: number; readonly streamIds: readonly number[] }
  | { readonly type: 'tsn-reset'; readonly requestSequence: number }
  | { readonly type: 'response'; readonly responseSequence: number; readonly result: number }
  | { readonly type: 'add-outgoing'; readonly requestSequence: number; readonly streams: number }
  | { readonly type: 'add-incoming'; readonly requestSequence: number; readonly streams: number };

/** Results of a Re-configuration Response (RFC 6525 §4.4). */
export const RECONFIG_RESULT = {
  nothingToDo: 0,
  performed: 1,
  denied: 2,
  wrongSsn: 3,
  requestInProgress: 4,
  badSequenceNumber: 5,
  inProgress: 6,
} as const;

/** A RE-CONFIG chunk has one or two parameters (RFC 6525 §3.1). */
const MAX_PARAMETERS = 2;

const PARAMETER = {
  outgoingReset: 13,
  incomingReset: 14,
  tsnReset: 15,
  response: 16,
  addOutgoing: 17,
  addIncoming: 18,
} as const;

/** The known parameters of the RE-CONFIG chunk from `at` up to `end`, or undefined when it is malformed. */
export function parseReConfig(bytes: Uint8Array, at: number, end: number): readonly ReConfigParameter[] | undefined {
  const parameters: ReConfigParameter[] = [];
  let count = 0;
  for (let next = at + CHUNK_HEADER_BYTES; next + 4 <= end && count < MAX_PARAMETERS; count++) {
    const length = getU16(bytes, next + 2);
    if (length < 8 || next + length > end) return undefined;
    const parameter = parseParameter(bytes, next, next + length);
    if (parameter === undefined) return undefined;
    if (parameter !== 'unknown') parameters.push(parameter);
    next += paddedSize(length);
  }
  return parameters;
}

function parseParameter(bytes: Uint8Array, at: number, end: number): ReConfigParameter | 'unknown' | undefined {
  const first = getU32(bytes, at + 4);
  const sizeBytes = end - at;
  switch (getU16(bytes, at)) {
    case PARAMETER.outgoingReset:
      if (sizeBytes < 16) return undefined;
      return {
        type: 'outgoing-reset',
        requestSequence: first,
        responseSequence: getU32(bytes, at + 8),
        lastAssignedTsn: getU32(bytes, at + 12),
        streamIds: streamIdsOf(bytes, at + 16, end),
      };
    case PARAMETER.incomingReset:
      return { type: 'incoming-reset', requestSequence: first, streamIds: streamIdsOf(bytes, at + 8, end) };
    case PARAMETER.tsnReset:
      return { type: 'tsn-reset', requestSequence: first };
    case PARAMETER.response:
      return sizeBytes < 12 ? undefined : { type: 'response', responseSequence: first, result: getU32(bytes, at + 8) };
    case PARAMETER.addOutgoing:
    case PARAMETER.addIncoming:
      if (sizeBytes < 12) return undefined;
      return {
        type: getU16(bytes, at) === PARAMETER.addOutgoing ? 'add-outgoing' : 'add-incoming',
        requestSequence: first,
        streams: getU16(bytes, at + 8),
      };
    default:
      return 'unknown';
  }
}

function streamIdsOf(bytes: Uint8Array, at: number, end: number): readonly number[] {
  const ids: number[] = [];
  for (let next = at; next + 2 <= end; next += 2) ids.push(getU16(bytes, next));
  return ids;
}

/** A RE-CONFIG chunk of one or two parameters. */
export function writeReConfig(parameters: readonly ReConfigParameter[]): Uint8Array {
  const writer = new ByteWriter(64);
  writer.u8(CHUNK_TYPE.reConfig).u8(0).u16(0);
  let end = writer.length;
  for (const parameter of parameters) {
    while (writer.length % 4 !== 0) writer.u8(0);
    writeParameter(writer, parameter);
    end = writer.length;
  }
  const chunk = writer.finish();
  chunk[2] = end >>> 8;
  chunk[3] = end;
  return chunk;
}

function writeParameter(writer: ByteWriter, parameter: ReConfigParameter): void {
  switch (parameter.type) {
    case 'outgoing-reset':
      writer.u16(PARAMETER.outgoingReset).u16(16 + 2 * parameter.streamIds.length);
      writer.u32(parameter.requestSequence).u32(parameter.responseSequence).u32(parameter.lastAssignedTsn);
      for (const id of parameter.streamIds) writer.u16(id);
      return;
    case 'incoming-reset':
      writer.u16(PARAMETER.incomingReset).u16(8 + 2 * parameter.streamIds.length);
      writer.u32(parameter.requestSequence);
      for (const id of parameter.streamIds) writer.u16(id);
      return;
    case 'tsn-reset':
      writer.u16(PARAMETER.tsnReset).u16(8).u32(parameter.requestSequence);
      return;
    case 'response':
      writer.u16(PARAMETER.response).u16(12).u32(parameter.responseSequence).u32(parameter.result);
      return;
    case 'add-outgoing':
    case 'add-incoming':
      writer.u16(parameter.type === 'add-outgoing' ? PARAMETER.addOutgoing : PARAMETER.addIncoming).u16(12);
      writer.u32(parameter.requestSequence).u16(parameter.streams).u16(0);
  }
}
