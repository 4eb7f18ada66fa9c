import { AmfEcmaArray, type AmfEntries, type AmfObject, type AmfValue, toAmfObject } from '../amf/amf-value.ts';
import { writeAmf0Values } from '../amf/amf0-writer.ts';
import { writeMessage } from './chunk-writer.ts';
import { writeCommand } from './command.ts';
import type { ConnectRequest } from './connect-request.ts';
import { type ControlMessage, writeControlMessage } from './control-messages.ts';
import { OWN_CAPABILITIES, toCapabilityProperties } from './enhanced-rtmp.ts';
import { RTMP_CHUNK_STREAM, RTMP_MESSAGE_TYPE } from './rtmp-message.ts';
import { STATUS_CLIENT_ID, type StatusFields, toStatusInfo } from './status-info.ts';

/** What old clients take for a sign of a capable server; they look no further than the digits. */
const FMS_VERSION = '3,5,3,888';

/** Writes messages in chunks of the size announced so far, each kind on the chunk stream it belongs to. */
export class ReplyWriter {
  /** Size of our chunks in bytes. */
  chunkSize: number;

  constructor(chunkSize: number) {
    this.chunkSize = chunkSize;
  }

  control(message: ControlMessage): Uint8Array {
    const { typeId, payload } = writeControlMessage(message);
    return writeMessage(
      { chunkStreamId: RTMP_CHUNK_STREAM.control, timestamp: 0, typeId, messageStreamId: 0, parts: [payload] },
      this.chunkSize,
    );
  }

  /** A command of the connection (stream 0) or of a stream. */
  command(messageStreamId: number, name: string, transactionId: number, values: readonly AmfValue[]): Uint8Array {
    const [object, ...args] = values;
    return writeMessage(
      {
        chunkStreamId: messageStreamId === 0 ? RTMP_CHUNK_STREAM.connection : RTMP_CHUNK_STREAM.stream,
        timestamp: 0,
        typeId: RTMP_MESSAGE_TYPE.commandAmf0,
        messageStreamId,
        parts: [writeCommand({ name, transactionId, object, args })],
      },
      this.chunkSize,
    );
  }

  status(messageStreamId: number, fields: StatusFields): Uint8Array {
    return this.command(messageStreamId, 'onStatus', 0, [null, toStatusInfo(fields)]);
  }

  /** A data message of a stream. */
  data(messageStreamId: number, values: readonly AmfValue[]): Uint8Array {
    return writeMessage(
      {
        chunkStreamId: RTMP_CHUNK_STREAM.stream,
        timestamp: 0,
        typeId: RTMP_MESSAGE_TYPE.dataAmf0,
        messageStreamId,
        parts: [writeAmf0Values(values)],
      },
      this.chunkSize,
    );
  }
}

/** The two objects of `_result` to a connect. Enhanced RTMP capabilities are only told to those who asked. */
export function toConnectResult(request: ConnectRequest, serverVersion: string, serverInfo: AmfEntries): AmfObject[] {
  const properties = toAmfObject({ fmsVer: `FMS/${FMS_VERSION}`, capabilities: 127, mode: 1 });
  const info = toStatusInfo({
    level: 'status',
    code: 'NetConnection.Connect.Success',
    description: 'Connection succeeded',
    more: [
      ['objectEncoding', request.objectEncoding],
      ['data', new AmfEcmaArray([['version', FMS_VERSION], ['server', serverVersion], ...serverInfo])],
      ...(request.capabilities === undefined ? [] : toCapabilityProperties(OWN_CAPABILITIES)),
    ],
  });
  return [properties, info];
}

/** Answer to FCPublish and first half of a publish's answer for encoders that called it. */
export const ON_FC_PUBLISH: AmfObject = toAmfObject({
  code: 'NetStream.Publish.Start',
  description: 'Started publishing stream.',
});

export const ON_FC_UNPUBLISH: AmfObject = toAmfObject({
  code: 'NetStream.Unpublish.Success',
  description: 'Stop publishing stream.',
});

type FixedStatus =
  | 'publishStart'
  | 'unpublishSuccess'
  | 'playReset'
  | 'playStart'
  | 'playUnpublished'
  | 'playStopped'
  | 'paused'
  | 'unpaused'
  | 'seek';

/** Status objects that are always the same. */
export const STATUS: Readonly<Record<FixedStatus, StatusFields>> = {
  publishStart: {
    level: 'status',
    code: 'NetStream.Publish.Start',
    description: 'Started publishing stream.',
    clientId: STATUS_CLIENT_ID,
  },
  unpublishSuccess: {
    level: 'status',
    code: 'NetStream.Unpublish.Success',
    description: 'Stream is now unpublished',
    clientId: STATUS_CLIENT_ID,
  },
  playReset: {
    level: 'status',
    code: 'NetStream.Play.Reset',
    description: 'Playing and resetting stream.',
    details: 'stream',
    clientId: STATUS_CLIENT_ID,
  },
  playStart: {
    level: 'status',
    code: 'NetStream.Play.Start',
    description: 'Started playing stream.',
    details: 'stream',
    clientId: STATUS_CLIENT_ID,
  },
  playUnpublished: {
    level: 'status',
    code: 'NetStream.Play.UnpublishNotify',
    description: 'Stream is now unpublished.',
    clientId: STATUS_CLIENT_ID,
  },
  playStopped: {
    level: 'status',
    code: 'NetStream.Play.Stop',
    description: 'Stopped playing stream.',
    details: 'stream',
    clientId: STATUS_CLIENT_ID,
  },
  paused: {
    level: 'status',
    code: 'NetStream.Pause.Notify',
    description: 'Paused stream.',
    clientId: STATUS_CLIENT_ID,
  },
  unpaused: {
    level: 'status',
    code: 'NetStream.Unpause.Notify',
    description: 'Unpaused stream.',
    clientId: STATUS_CLIENT_ID,
  },
  seek: {
    level: 'status',
    code: 'NetStream.Seek.Notify',
    description: 'Seeking in a live stream changes nothing.',
    clientId: STATUS_CLIENT_ID,
  },
};
