/** A description of media streams (RFC 8866, RFC 4566), as RTSP and WebRTC have it. Strings come from the peer and are not to be trusted. */
export interface SessionDescription {
  /** `o=`; undefined where a device leaves it out. */
  readonly origin?: Origin | undefined;
  /** `s=`; '' where it is empty or left out. */
  readonly name: string;
  /** `i=` */
  readonly information?: string | undefined;
  /** `u=` */
  readonly uri?: string | undefined;
  /** `e=` */
  readonly emails?: readonly string[] | undefined;
  /** `p=` */
  readonly phones?: readonly string[] | undefined;
  /** `c=` */
  readonly connection?: ConnectionData | undefined;
  /** `b=` */
  readonly bandwidths?: readonly Bandwidth[] | undefined;
  /** `t=`, each with its `r=`; one of 0 and 0 (for ever) is written where there is none. */
  readonly times?: readonly ActiveTime[] | undefined;
  /** `z=` as it stands. */
  readonly timeZones?: string | undefined;
  /** `k=` as it stands. */
  readonly encryptionKey?: string | undefined;
  readonly attributes: readonly Attribute[];
  readonly media: readonly MediaDescription[];
}

/** One media section, from `m=` on (RFC 8866 §5.14). */
export interface MediaDescription {
  /** `video`, `audio`, `application`, `text`, … */
  readonly type: string;
  /** 0 in RTSP, where ports are agreed on by SETUP, and for sections turned down in WebRTC. */
  readonly port: number;
  /** Undefined for one; `port/portCount` else. */
  readonly portCount?: number | undefined;
  /** `RTP/AVP`, `RTP/SAVP`, `UDP/TLS/RTP/SAVPF`, … as sent. */
  readonly protocol: string;
  /** Payload types, for RTP. */
  readonly formats: readonly string[];
  readonly information?: string | undefined;
  readonly connection?: ConnectionData | undefined;
  readonly bandwidths?: readonly Bandwidth[] | undefined;
  readonly encryptionKey?: string | undefined;
  readonly attributes: readonly Attribute[];
}

/** `o=` (RFC 8866 §5.2). */
export interface Origin {
  readonly username: string;
  /** Digits, of any length. */
  readonly sessionId: string;
  readonly sessionVersion: string;
  /** `IN` */
  readonly networkType: string;
  /** `IP4`, `IP6` */
  readonly addressType: string;
  readonly address: string;
}

/** `c=` (RFC 8866 §5.7). */
export interface ConnectionData {
  readonly networkType: string;
  readonly addressType: string;
  readonly address: string;
  /** Of IPv4 multicast, 0–255. */
  readonly ttl?: number | undefined;
  /** Addresses from this one on; undefined for one. */
  readonly addressCount?: number | undefined;
}

/** `b=` (RFC 8866 §5.8). */
export interface Bandwidth {
  /** `AS` and `CT` in kilobits a second, `TIAS`, `RS` and `RR` in bits a second. */
  readonly type: string;
  readonly value: number;
}

/** `t=` (RFC 8866 §5.9): seconds since 1900, 0 for no bound. */
export interface ActiveTime {
  readonly start: number;
  readonly stop: number;
  /** `r=` as they stand. */
  readonly repeats?: readonly string[] | undefined;
}

/** `a=` (RFC 8866 §5.13): `name`, or `name:value`. */
export interface Attribute {
  readonly name: string;
  readonly value?: string | undefined;
}

/** What has attributes: a description or one of its media sections. */
export interface AttributeHolder {
  readonly attributes: readonly Attribute[];
}

/** The value of the first attribute of that name, '' for one without a value, undefined for none. Names compare without case. */
export function attributeOf(holder: AttributeHolder, name: string): string | undefined {
  const key = name.toLowerCase();
  const found = holder.attributes.find((attribute) => attribute.name.toLowerCase() === key);
  return found === undefined ? undefined : (found.value ?? '');
}

/** The values of all attributes of that name in order, '' for those without. */
export function attributesOf(holder: AttributeHolder, name: string): string[] {
  const key = name.toLowerCase();
  return holder.attributes
    .filter((attribute) => attribute.name.toLowerCase() === key)
    .map((attribute) => attribute.value ?? '');
}

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

/** The direction a level names itself (RFC 8866 §6.7); undefined where it names none. */
export function ownDirectionOf(holder: AttributeHolder): Direction | undefined {
  for (const { name } of holder.attributes) {
    const direction = DIRECTIONS.find((known) => known === name.toLowerCase());
    if (direction !== undefined) return direction;
  }
  return undefined;
}

/** Direction of a media section, which has that of the session where it names none, and `sendrecv` where neither does. */
export function directionOf(session: SessionDescription, media: MediaDescription): Direction {
  return ownDirectionOf(media) ?? ownDirectionOf(session) ?? 'sendrecv';
}

/** Where a media section is sent: its own `c=`, or that of the session. */
export function connectionOf(session: SessionDescription, media: MediaDescription): ConnectionData | undefined {
  return media.connection ?? session.connection;
}
