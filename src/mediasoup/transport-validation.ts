import { isIpAddress } from '../io/worker-events.ts';
import { numberOf, withoutNulls } from './given-options.ts';
import type {
  DtlsParameters,
  IceCandidate,
  SctpOptions,
  SrtpParameters,
  TransportListenInfo,
  TransportListenIp,
  TransportProtocol,
  TransportTuple,
} from './transport-types.ts';

const MAX_PORT = 65535;
const algorithms: readonly unknown[] = ['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512'];
const roles: readonly unknown[] = ['auto', 'client', 'server'];

/** Bytes of master key and salt. */
const srtpKeyBytes: Readonly<Record<string, number>> = {
  AEAD_AES_256_GCM: 44,
  AEAD_AES_128_GCM: 28,
  AES_CM_128_HMAC_SHA1_80: 30,
  AES_CM_128_HMAC_SHA1_32: 30,
};

/**
 * A checked copy, with `announcedAddress` whatever it was called.
 * @throws TypeError
 */
export function listenInfoOf(value: unknown, onlyProtocol?: TransportProtocol): TransportListenInfo {
  if (typeof value !== 'object' || value === null) throw new TypeError('wrong listenInfo');
  const { announcedIp, announcedAddress = announcedIp, ...info } = withoutNulls(value as TransportListenInfo);
  if (info.protocol !== 'udp' && info.protocol !== 'tcp') throw new TypeError('invalid listenInfo.protocol');
  if (onlyProtocol !== undefined && info.protocol !== onlyProtocol) {
    throw new TypeError(`listenInfo.protocol must be ${onlyProtocol}`);
  }
  if (typeof info.ip !== 'string' || !isIpAddress(info.ip)) throw new TypeError('invalid listenInfo.ip');
  const port = numberOf(info.port);
  if (port !== undefined && !isPort(port)) throw new TypeError('invalid listenInfo.port');
  if (announcedAddress !== undefined && typeof announcedAddress !== 'string') {
    throw new TypeError('invalid listenInfo.announcedAddress');
  }
  const [min, max] = [numberOf(info.portRange?.min ?? 0), numberOf(info.portRange?.max ?? 0)];
  if (!isPort(min) || !isPort(max) || min > max) throw new TypeError('invalid listenInfo.portRange');
  for (const size of [info.sendBufferSize, info.recvBufferSize]) {
    if (size !== undefined && !(Number.isInteger(size) && size >= 0)) throw new TypeError('invalid buffer size');
  }
  return {
    ...info,
    ...(port === undefined ? {} : { port }),
    ...(info.portRange === undefined ? {} : { portRange: { min, max } }),
    // An empty text, as of a variable of the environment that is not set, says nothing.
    ...(announcedAddress ? { announcedAddress } : {}),
  };
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_PORT;
}

/**
 * `listenInfo`, or what the deprecated `listenIp` and `port` say.
 * @throws TypeError when there is not exactly one of them, or it is wrong
 */
export function udpListenInfoOf(options: {
  readonly listenInfo?: TransportListenInfo | undefined;
  readonly listenIp?: TransportListenIp | string | undefined;
  readonly port?: number | undefined;
}): TransportListenInfo {
  const { listenInfo, listenIp, port } = options;
  if (listenInfo !== undefined && listenIp !== undefined) {
    throw new TypeError('only one of listenInfo and listenIp must be given');
  }
  if (listenInfo !== undefined) return listenInfoOf(listenInfo, 'udp');
  if (listenIp === undefined) throw new TypeError('missing listenInfo and listenIp (one of them is mandatory)');
  return listenInfoOf(fromListenIp(listenIp, 'udp', port));
}

function fromListenIp(listenIp: unknown, protocol: TransportProtocol, port: number | undefined): TransportListenInfo {
  const { ip, announcedIp } = typeof listenIp === 'string' ? { ip: listenIp } : listenIpOf(listenIp);
  return {
    protocol,
    ip,
    ...(announcedIp === undefined ? {} : { announcedAddress: announcedIp }),
    ...(port === undefined ? {} : { port }),
  };
}

function listenIpOf(value: unknown): TransportListenIp {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('wrong listenIp');
  return value as TransportListenIp;
}

/** Deprecated `listenIps`: one UDP and one TCP address for each, the preferred first. */
export function listenInfosOfIps(options: {
  readonly listenIps: readonly unknown[];
  readonly port: number | undefined;
  readonly enableUdp: boolean;
  readonly enableTcp: boolean;
  readonly preferUdp: boolean;
  readonly preferTcp: boolean;
}): TransportListenInfo[] {
  const { listenIps, port, enableUdp, enableTcp, preferUdp, preferTcp } = options;
  const isTcpFirst = preferTcp && !preferUdp;
  const protocols: TransportProtocol[] = isTcpFirst ? ['tcp', 'udp'] : ['udp', 'tcp'];
  return listenIps.flatMap((listenIp) =>
    protocols
      .filter((protocol) => (protocol === 'udp' ? enableUdp : enableTcp))
      .map((protocol) => listenInfoOf(fromListenIp(listenIp, protocol, port))),
  );
}

/** SCTP of a new transport, in today's names, with defaults. */
export function sctpSettingsOf(options: SctpOptions, isDataChannel: boolean): object {
  const { maxSctpMessageSize } = options;
  return {
    enableSctp: options.enableSctp ?? false,
    maxSendMessageSize: options.maxSendMessageSize ?? maxSctpMessageSize ?? 262_144,
    maxReceiveMessageSize: options.maxReceiveMessageSize ?? maxSctpMessageSize ?? 262_144,
    sctpSendBufferSize: options.sctpSendBufferSize ?? 2_000_000,
    sctpPerStreamSendQueueLimit: options.sctpPerStreamSendQueueLimit ?? 2_000_000,
    sctpMaxReceiverWindowBufferSize: options.sctpMaxReceiverWindowBufferSize ?? 5_242_880,
    sctpDefaultStreamBufferedAmountLowThreshold: options.sctpDefaultStreamBufferedAmountLowThreshold ?? 1024,
    ...(options.numSctpStreams === undefined ? {} : { numSctpStreams: options.numSctpStreams }),
    isDataChannel,
  };
}

/** @throws TypeError */
export function checkDtlsParameters(value: unknown): asserts value is DtlsParameters {
  if (typeof value !== 'object' || value === null) throw new TypeError('missing dtlsParameters');
  const { role, fingerprints } = value as DtlsParameters;
  if (role !== undefined && !roles.includes(role)) throw new TypeError('invalid dtlsParameters.role');
  if (!Array.isArray(fingerprints) || fingerprints.length === 0) {
    throw new TypeError('missing or empty dtlsParameters.fingerprints');
  }
  for (const fingerprint of fingerprints) {
    if (!algorithms.includes(fingerprint?.algorithm)) throw new TypeError('invalid fingerprint algorithm');
    if (typeof fingerprint.value !== 'string' || fingerprint.value === '')
      throw new TypeError('missing fingerprint value');
  }
}

/**
 * SRTP parameters where SRTP is on, none where it is off.
 * @throws TypeError
 */
export function checkSrtpParameters(value: unknown, isEnabled: boolean): asserts value is SrtpParameters | undefined {
  if (!isEnabled) {
    if (value !== undefined) throw new TypeError('invalid srtpParameters (SRTP not enabled)');
    return;
  }
  if (typeof value !== 'object' || value === null) throw new TypeError('missing srtpParameters (SRTP enabled)');
  const { cryptoSuite, keyBase64 } = value as SrtpParameters;
  const keyBytes = Object.hasOwn(srtpKeyBytes, cryptoSuite) ? srtpKeyBytes[cryptoSuite] : undefined;
  if (keyBytes === undefined) throw new TypeError('invalid srtpParameters.cryptoSuite');
  if (typeof keyBase64 !== 'string' || Buffer.from(keyBase64, 'base64').length !== keyBytes) {
    throw new TypeError('invalid srtpParameters.keyBase64');
  }
}

/** @throws TypeError */
export function checkSrtpCryptoSuite(value: unknown): void {
  if (typeof value !== 'string' || !Object.hasOwn(srtpKeyBytes, value)) throw new TypeError('invalid srtpCryptoSuite');
}

/** With the deprecated name of the local address besides. */
export function tupleOf(tuple: TransportTuple): TransportTuple {
  return { ...tuple, localIp: tuple.localAddress };
}

/** With the deprecated name of the address besides. */
export function iceCandidateOf(candidate: IceCandidate): IceCandidate {
  return { ...candidate, ip: candidate.address };
}
