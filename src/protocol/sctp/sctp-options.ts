import type { SctpCrypto } from './sctp-crypto.ts';
import { MAX_STREAMS } from './sctp-limits.ts';

/** Settings of an association. Times are milliseconds, sizes bytes. */
export interface SctpOptions {
  readonly crypto: SctpCrypto;
  /** Ports of both sides; 5000, as `a=sctp-port` of an SDP says. */
  readonly localPort?: number;
  readonly remotePort?: number;
  /** Size of UDP payloads; 1200. The packets of the association are smaller by `lowerLayerBytes`. */
  readonly mtu?: number;
  /** What the layer below adds to a packet; 40, which is a DTLS 1.2 record with an AEAD cipher, rounded up. */
  readonly lowerLayerBytes?: number;
  /** Streams asked for and allowed, 1 to 65,535; 65,535 both. */
  readonly outboundStreams?: number;
  readonly inboundStreams?: number;
  /** Longest message sent (what `a=max-message-size` of the peer says) and taken; 262,144 both. */
  readonly maxSendMessageBytes?: number;
  readonly maxReceiveMessageBytes?: number;
  /** Messages waiting to be sent, of all streams and of one; 2,000,000 both. What is in flight does not count. */
  readonly maxSendBufferBytes?: number;
  readonly maxStreamSendBufferBytes?: number;
  /** `buffered-amount-low` comes when a stream's amount falls to this; 0. */
  readonly bufferedAmountLowThresholdBytes?: number;
  /** Window told to the peer; 5,242,880. Fragments and undelivered messages count, with an overhead for each. */
  readonly receiveWindowBytes?: number;
  /** Offer I-DATA (RFC 8260); true. */
  readonly interleaving?: boolean;
  /** Offer to take packets without checksum, and leave it out where the peer takes them (RFC 9653); true. Over DTLS only. */
  readonly zeroChecksum?: boolean;
  /** Retransmission timeouts; 1000, 400, 10,000. RFC 9260 §16 has 1, 1 and 60 s; browsers too wait less. */
  readonly initialRtoMs?: number;
  readonly minRtoMs?: number;
  readonly maxRtoMs?: number;
  /** Timeouts in a row after which the path has failed; 20, which ICE consent usually comes before. */
  readonly maxRetransmissions?: number;
  /** How often INIT and COOKIE ECHO are sent again; 8. */
  readonly maxSetupRetransmissions?: number;
  /** Silence after which the path is probed; 30,000. */
  readonly heartbeatIntervalMs?: number;
  /** How long a SACK may wait for a second packet; 100. */
  readonly delayedSackMs?: number;
  /** How long a cookie of ours is good; 60,000. */
  readonly cookieLifetimeMs?: number;
  /** First TSN, for tests of its wrap; random by default. */
  readonly initialTsn?: number;
}

/** All settings, given or default. */
export type SctpSettings = Required<Omit<SctpOptions, 'initialTsn'>> & { readonly initialTsn: number | undefined };

/** The settings with defaults filled in. */
export function toSettings(options: SctpOptions): SctpSettings {
  return {
    localPort: 5000,
    remotePort: 5000,
    mtu: 1200,
    lowerLayerBytes: 40,
    outboundStreams: MAX_STREAMS,
    inboundStreams: MAX_STREAMS,
    maxSendMessageBytes: 262_144,
    maxReceiveMessageBytes: 262_144,
    maxSendBufferBytes: 2_000_000,
    maxStreamSendBufferBytes: 2_000_000,
    bufferedAmountLowThresholdBytes: 0,
    receiveWindowBytes: 5_242_880,
    interleaving: true,
    zeroChecksum: true,
    initialRtoMs: 1000,
    minRtoMs: 400,
    maxRtoMs: 10_000,
    maxRetransmissions: 20,
    maxSetupRetransmissions: 8,
    heartbeatIntervalMs: 30_000,
    delayedSackMs: 100,
    cookieLifetimeMs: 60_000,
    initialTsn: undefined,
    ...options,
  };
}
