/** SCTP of a transport, for its client. `OS`, `MIS` and `maxMessageSize` are there for older clients. */
export interface SctpParameters {
  /** 5000. */
  port: number;
  /** Outgoing streams asked for at first. */
  OS: number;
  /** Incoming streams allowed at most. */
  MIS: number;
  /** Bytes; the same as `maxReceiveMessageSize`. */
  maxMessageSize: number;
  /** Bytes. */
  maxSendMessageSize: number;
  /** Bytes. */
  maxReceiveMessageSize: number;
  /** Bytes. */
  sendBufferSize: number;
  /** Bytes. */
  perStreamSendQueueLimit: number;
  /** Bytes. */
  maxReceiverWindowBufferSize: number;
  /** True on WebRTC transports. */
  isDataChannel: boolean;
}

/** What both ends of the association agreed on. */
export interface SctpNegotiatedCapabilities {
  negotiatedMaxOutboundStreams: number;
  negotiatedMaxInboundStreams: number;
}

export type SctpState = 'new' | 'connecting' | 'connected' | 'failed' | 'closed';

/** How messages of one stream are delivered (RFC 8831 §6.4). */
export interface SctpStreamParameters {
  streamId: number;
  /** true unless a limit below is given. */
  ordered?: boolean;
  /** Milliseconds after which a message is not sent again; not together with `maxRetransmits`. */
  maxPacketLifeTime?: number;
  maxRetransmits?: number;
}
