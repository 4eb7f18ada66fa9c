/** RTMP as a library: sessions, chunk stream, handshake and messages, without sockets (subpath `millrace/rtmp`). */

export { ChunkReader, type ChunkReaderOptions } from './chunk-reader.ts';
export { chunkStreamOfMedia, type OutgoingMessage, writeMessage } from './chunk-writer.ts';
export type { RtmpClientEvent } from './client-events.ts';
export { RtmpClientSession, type RtmpClientSessionOptions } from './client-session.ts';
export type { ConnectRequest } from './connect-request.ts';
export { CAPS_EX, type EnhancedCapabilities, FOURCC_INFO } from './enhanced-rtmp.ts';
export type { HandshakeCrypto } from './handshake-digest.ts';
export type { PublisherKind } from './publisher-identification.ts';
export type { RtmpErrorCode, RtmpStateErrorCode } from './rtmp-error.ts';
export { RTMP_CHUNK_STREAM, RTMP_DEFAULT_CHUNK_SIZE, RTMP_MESSAGE_TYPE, type RtmpMessage } from './rtmp-message.ts';
export type { MediaMessageEvent, PlayEvent, PublishEvent, RtmpServerEvent } from './server-events.ts';
export type { HandshakeKind } from './server-handshake.ts';
export { RtmpServerSession, type RtmpServerSessionOptions } from './server-session.ts';
export { parseRtmpUrl, parseStreamUrl, type RtmpUrl, type StreamUrl, withoutMediaExtension } from './stream-url.ts';
