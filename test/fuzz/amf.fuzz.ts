import type { AmfValue } from '../../src/protocol/amf/amf-value.ts';
import { parseAmf0 } from '../../src/protocol/amf/amf0-reader.ts';
import { writeAmf0Values } from '../../src/protocol/amf/amf0-writer.ts';
import { parseAmf3 } from '../../src/protocol/amf/amf3-reader.ts';
import { writeAmf3Values } from '../../src/protocol/amf/amf3-writer.ts';
import { parseCommand } from '../../src/protocol/rtmp/command.ts';
import { parseConnectRequest } from '../../src/protocol/rtmp/connect-request.ts';
import { toAmf0Data } from '../../src/protocol/rtmp/data-message.ts';
import { StateError } from '../../src/wire/errors.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'amf';

/** AMF: the input as AMF0, as AMF3, as a command and as a data message; what is read can be written and read again. */
export function run(bytes: Uint8Array): void {
  checkRewrite(parseAmf0(bytes).values, writeAmf0Values, (written) => parseAmf0(written).values, 'AMF0');
  checkRewrite(parseAmf3(bytes).values, writeAmf3Values, (written) => parseAmf3(written).values, 'AMF3');
  for (const typeId of [17, 20]) {
    const command = parseCommand(typeId, bytes);
    if (command !== undefined) parseConnectRequest(command);
  }
  for (const typeId of [15, 18]) toAmf0Data(typeId, bytes);
}

function checkRewrite(
  values: readonly AmfValue[],
  write: (values: readonly AmfValue[]) => Uint8Array,
  read: (bytes: Uint8Array) => readonly AmfValue[],
  what: string,
): void {
  const written = tryWrite(values, write);
  if (written === undefined) return;
  const again = tryWrite(read(written), write);
  expectSameBytes(again, written, `${what} written twice`);
}

/** Undefined when the values share their parts in ways that grow beyond the limit of a message. */
function tryWrite(
  values: readonly AmfValue[],
  write: (values: readonly AmfValue[]) => Uint8Array,
): Uint8Array | undefined {
  try {
    return write(values);
  } catch (error) {
    if (error instanceof StateError) return undefined;
    throw error;
  }
}
