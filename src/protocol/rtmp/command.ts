import type { AmfLimits, AmfParseResult } from '../amf/amf-limits.ts';
import { type AmfPropertyBag, type AmfValue, isAmfPropertyBag } from '../amf/amf-value.ts';
import { parseAmf0 } from '../amf/amf0-reader.ts';
import { writeAmf0Values } from '../amf/amf0-writer.ts';
import { parseAmf3 } from '../amf/amf3-reader.ts';
import { RTMP_MESSAGE_TYPE } from './rtmp-message.ts';

/** Bounds for commands, far below those for metadata: a command never is large. */
export const RTMP_COMMAND_LIMITS: AmfLimits = { maxValues: 4096, maxStringBytes: 65_536 };

/** Body of a command message (RTMP 1.0 §7.2). */
export interface RtmpCommand {
  readonly name: string;
  /** 0 when no answer is expected. */
  readonly transactionId: number;
  /** The command object: usually an object (`connect`) or null. */
  readonly object: AmfValue;
  readonly args: readonly AmfValue[];
}

/** Marker of an AMF0 string, with which every AMF0 command begins. */
const AMF0_STRING = 0x02;

/**
 * Reads a command message, AMF0 (type 20) or AMF3 (type 17: a zero byte and then AMF0, or AMF3 throughout). Undefined
 * when the name is not a string or the values cannot be read up to the transaction id; damage further on costs only
 * the arguments behind it.
 */
export function parseCommand(typeId: number, payload: Uint8Array): RtmpCommand | undefined {
  const { values } = parseCommandValues(typeId, payload);
  const [name, transactionId, object, ...args] = values;
  if (typeof name !== 'string') return undefined;
  if (transactionId !== undefined && typeof transactionId !== 'number') return undefined;
  return { name, transactionId: transactionId ?? 0, object, args };
}

function parseCommandValues(typeId: number, payload: Uint8Array): AmfParseResult {
  if (typeId === RTMP_MESSAGE_TYPE.commandAmf3 && payload[0] !== AMF0_STRING) {
    if (payload[0] === 0) return parseAmf0(payload, 1, RTMP_COMMAND_LIMITS);
    return parseAmf3(payload, 0, RTMP_COMMAND_LIMITS);
  }
  return parseAmf0(payload, 0, RTMP_COMMAND_LIMITS);
}

/** The AMF0 body of a command message. */
export function writeCommand(command: RtmpCommand): Uint8Array {
  return writeAmf0Values([command.name, command.transactionId, command.object, ...command.args]);
}

/** A property of an AMF value as text; undefined when the value has no such property or it is no string. */
export function textProperty(bag: AmfValue, name: string): string | undefined {
  const value = isAmfPropertyBag(bag) ? bag.get(name) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** A property of an AMF value as a finite number; undefined when it is none. */
export function numberProperty(bag: AmfValue, name: string): number | undefined {
  const value = isAmfPropertyBag(bag) ? bag.get(name) : undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A property of an AMF value that itself holds properties. */
export function bagProperty(bag: AmfValue, name: string): AmfPropertyBag | undefined {
  const value = isAmfPropertyBag(bag) ? bag.get(name) : undefined;
  return isAmfPropertyBag(value) ? value : undefined;
}
