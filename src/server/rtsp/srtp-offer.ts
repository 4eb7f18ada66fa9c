import { parseKeyManagementHeader } from '../../protocol/mikey/key-management.ts';
import { parseMikeyMessage } from '../../protocol/mikey/mikey-reader.ts';
import { type MikeySrtp, srtpOf } from '../../protocol/mikey/mikey-srtp.ts';
import { cryptosOf, keyManagementsOf } from '../../protocol/sdp/security-attributes.ts';
import type { MediaDescription, SessionDescription } from '../../protocol/sdp/session-description.ts';
import { sdesKeysOf } from './sdes-keys.ts';

/** What follows a slash is the transport, which SETUP tells. */
const SRTP_PROTOCOL = /^RTP\/SAVPF?(\/|$)/i;

/** Whether the packets of a media section are SRTP (RFC 3711, RFC 5124) with keys of this description. */
export function isSrtp(media: MediaDescription): boolean {
  return SRTP_PROTOCOL.test(media.protocol);
}

/**
 * The key a description tells of a media section: the first MIKEY message that can be used (RFC 4567), else the first
 * crypto attribute (RFC 4568). Keys of the whole session hold for sections without any.
 */
export function offeredSrtp(description: SessionDescription, media: MediaDescription): MikeySrtp | undefined {
  for (const holder of [media, description]) {
    for (const { protocol, data } of keyManagementsOf(holder)) {
      const srtp = protocol === 'mikey' ? srtpOfMikey(data) : undefined;
      if (srtp !== undefined) return srtp;
    }
    for (const crypto of cryptosOf(holder)) {
      const keys = sdesKeysOf(crypto);
      if (keys !== undefined) return { keys, rolloverCounters: new Map() };
    }
  }
  return undefined;
}

/** The key a `KeyMgmt` header of a SETUP tells of its track (RFC 4567 §4.1); undefined when it can't be used. */
export function offeredSrtpOfHeader(value: string): MikeySrtp | undefined {
  for (const { message } of parseKeyManagementHeader(value)) {
    const srtp = srtpOfMikey(message);
    if (srtp !== undefined) return srtp;
  }
  return undefined;
}

function srtpOfMikey(bytes: Uint8Array): MikeySrtp | undefined {
  const message = parseMikeyMessage(bytes);
  if (message instanceof Error) return undefined;
  const srtp = srtpOf(message);
  return srtp instanceof Error ? undefined : srtp;
}
