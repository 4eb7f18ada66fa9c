import { iceStateError } from './ice-error.ts';

/** Longest candidate line read. */
export const MAX_CANDIDATE_CHARACTERS = 1024;
/** Name and value pairs behind the parts every candidate has. */
export const MAX_CANDIDATE_EXTENSIONS = 16;
/** The port an active TCP candidate names, which nobody can reach (RFC 6544 §4.5). */
export const DISCARD_PORT = 9;

export type CandidateType = 'host' | 'srflx' | 'prflx' | 'relay';
export type TcpType = 'active' | 'passive' | 'so';

/** A transport address a peer may be reached at (RFC 8445 §5.3, RFC 8839 §5.1). */
export interface IceCandidate {
  /** 1–32 characters; the same for candidates that will work or fail together. */
  readonly foundation: string;
  /** 1–256; 1 where RTP and RTCP share a port. */
  readonly component: number;
  readonly transport: 'udp' | 'tcp';
  /** 1 to 2^31 − 1. */
  readonly priority: number;
  /** IPv4, IPv6 without brackets, or a name (`….local`, RFC 8839 §5.1) that nobody resolves here. */
  readonly address: string;
  /** 0–65535. */
  readonly port: number;
  readonly type: CandidateType;
  /** Where it was found from; `0.0.0.0` and 9 hide it. */
  readonly relatedAddress?: string;
  readonly relatedPort?: number;
  /** Which way TCP connects; only and always with `tcp`. */
  readonly tcpType?: TcpType;
  /** What else it says, in order: `generation`, `ufrag`, `network-cost` … */
  readonly extensions?: readonly (readonly [name: string, value: string])[];
}

const types: readonly string[] = ['host', 'srflx', 'prflx', 'relay'] satisfies readonly CandidateType[];
const tcpTypes: readonly string[] = ['active', 'passive', 'so'] satisfies readonly TcpType[];
const MAX_PRIORITY = 2 ** 31 - 1;
const MAX_PORT = 65_535;
const foundationForm = /^[A-Za-z0-9+/]{1,32}$/;
/** No white space nor control characters. */
const tokenForm = /^[\x21-\x7e]+$/;
const addressForm = /^[\dA-Za-z.:_-]{1,255}$/;

/**
 * Reads the value of an `a=candidate:` line (RFC 8839 §5.1, RFC 6544 §4.5), with or without `a=` and `candidate:` in
 * front. Gives undefined for what is malformed and for transports and types that are not known, which are to be ignored.
 */
export function parseCandidate(line: string): IceCandidate | undefined {
  if (line.length > MAX_CANDIDATE_CHARACTERS) return undefined;
  const parts = line
    .trim()
    .replace(/^(?:a=)?(?:candidate:)?/i, '')
    .split(/ +/);
  const [foundation = '', componentText = '', transportText = '', priorityText = '', address = '', portText = ''] =
    parts;
  const component = readNumber(componentText, 1, 256);
  const transport = transportText.toLowerCase();
  const priority = readNumber(priorityText, 1, MAX_PRIORITY);
  const port = readNumber(portText, 0, MAX_PORT);
  const type = parts[7] ?? '';
  if (parts[6] !== 'typ' || !foundationForm.test(foundation) || !addressForm.test(address)) return undefined;
  if (component === undefined || priority === undefined || port === undefined || !types.includes(type))
    return undefined;
  if (transport !== 'udp' && transport !== 'tcp') return undefined;
  const rest = readExtensions(parts, 8);
  if (rest === undefined) return undefined;
  const { raddr, rport, tcptype, extensions } = rest;
  if (raddr !== undefined && !addressForm.test(raddr)) return undefined;
  const relatedPort = rport === undefined ? undefined : readNumber(rport, 0, MAX_PORT);
  if (rport !== undefined && relatedPort === undefined) return undefined;
  if (transport === 'tcp' ? !tcpTypes.includes(tcptype ?? '') : tcptype !== undefined) return undefined;
  return {
    foundation,
    component,
    transport,
    priority,
    address,
    port,
    type: type as CandidateType,
    ...(raddr === undefined ? {} : { relatedAddress: raddr }),
    ...(relatedPort === undefined ? {} : { relatedPort }),
    ...(tcptype === undefined ? {} : { tcpType: tcptype as TcpType }),
    ...(extensions.length === 0 ? {} : { extensions }),
  };
}

interface CandidateRest {
  raddr?: string;
  rport?: string;
  tcptype?: string;
  readonly extensions: (readonly [name: string, value: string])[];
}

function readExtensions(parts: readonly string[], start: number): CandidateRest | undefined {
  if ((parts.length - start) % 2 !== 0) return undefined;
  const rest: CandidateRest = { extensions: [] };
  for (let i = start; i < parts.length; i += 2) {
    const name = parts[i]!;
    const value = parts[i + 1]!;
    if (!tokenForm.test(name) || !tokenForm.test(value)) return undefined;
    if (name === 'raddr' || name === 'rport' || name === 'tcptype') {
      if (rest[name] !== undefined) return undefined;
      rest[name] = value;
    } else {
      if (rest.extensions.length >= MAX_CANDIDATE_EXTENSIONS) return undefined;
      rest.extensions.push([name, value]);
    }
  }
  return rest;
}

function readNumber(text: string, min: number, max: number): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value < min || value > max ? undefined : value;
}

/** `candidate:…` as it stands behind `a=` in SDP and in trickled candidates. */
export function writeCandidate(candidate: IceCandidate): string {
  const { foundation, component, transport, priority, address, port, type } = candidate;
  const parts = [`candidate:${foundation}`, component, transport, priority, address, port, 'typ', type];
  if (candidate.relatedAddress !== undefined) parts.push('raddr', candidate.relatedAddress);
  if (candidate.relatedPort !== undefined) parts.push('rport', candidate.relatedPort);
  if (candidate.tcpType !== undefined) parts.push('tcptype', candidate.tcpType);
  for (const [name, value] of candidate.extensions ?? []) parts.push(name, value);
  return parts.join(' ');
}

/** How much each type is preferred (RFC 8445 §5.1.2.2); over TCP each by 20 less (RFC 6544 §4.2 wants UDP first). */
const typePreferences: Readonly<Record<CandidateType, number>> = { host: 126, prflx: 110, srflx: 100, relay: 0 };
const TCP_PENALTY = 20;
const directionPreferences: Readonly<Record<TcpType, number>> = { active: 6, passive: 4, so: 2 };

export interface PriorityOptions {
  readonly type: CandidateType;
  readonly transport: 'udp' | 'tcp';
  readonly tcpType?: TcpType;
  /** Among addresses of one type, more is better: 0–65,535 for UDP, 0–8191 for TCP; default all of it. */
  readonly localPreference?: number;
  /** Default 1. */
  readonly component?: number;
}

/**
 * Priority of a candidate (RFC 8445 §5.1.2.1, RFC 6544 §4.2), 1 to 2^31 − 1.
 * @throws StateError `ice/bad-candidate` when the local preference is out of range
 */
export function candidatePriority(options: PriorityOptions): number {
  const { type, transport, tcpType, component = 1 } = options;
  const most = transport === 'udp' ? 0xffff : 0x1fff;
  const preference = options.localPreference ?? most;
  if (!Number.isInteger(preference) || preference < 0 || preference > most) {
    throw iceStateError('ice/bad-candidate', `a local preference of ${preference}, 0 to ${most} are possible`);
  }
  const typePreference = Math.max(typePreferences[type] - (transport === 'tcp' ? TCP_PENALTY : 0), 0);
  const direction = transport === 'tcp' ? directionPreferences[tcpType ?? 'passive'] : 0;
  return typePreference * 2 ** 24 + (direction * 0x2000 + preference) * 2 ** 8 + (256 - component);
}

/** Priority of a pair, larger first (RFC 8445 §6.1.2.3). */
export function pairPriority(controlling: number, controlled: number): bigint {
  const smaller = BigInt(Math.min(controlling, controlled));
  const larger = BigInt(Math.max(controlling, controlled));
  return (smaller << 32n) + 2n * larger + (controlling > controlled ? 1n : 0n);
}
