import { fromBase64, toBase64 } from '../../wire/base64.ts';
import { type Attribute, type AttributeHolder, attributesOf } from './session-description.ts';

/** `a=key-mgmt` (RFC 4567 §3.1). */
export interface KeyManagement {
  /** In lower case: `mikey`. */
  readonly protocol: string;
  /** Decoded. */
  readonly data: Uint8Array;
}

/** `a=crypto` (RFC 4568 §9.1). */
export interface CryptoAttribute {
  readonly tag: number;
  /** `AES_CM_128_HMAC_SHA1_80`, … */
  readonly suite: string;
  /** Key parameters as they stand: `inline:…|2^20|1:4`. */
  readonly keyParameters: readonly string[];
  /** `UNENCRYPTED_SRTP`, … */
  readonly sessionParameters: readonly string[];
}

/** The key management messages of a level; what can't be read is left out. */
export function keyManagementsOf(holder: AttributeHolder): KeyManagement[] {
  const found: KeyManagement[] = [];
  for (const value of attributesOf(holder, 'key-mgmt')) {
    const [protocol = '', base64 = ''] = value.split(/\s+/);
    const data = fromBase64(base64);
    if (protocol !== '' && data !== undefined && data.length > 0)
      found.push({ protocol: protocol.toLowerCase(), data });
  }
  return found;
}

export function keyManagementAttribute({ protocol, data }: KeyManagement): Attribute {
  return { name: 'key-mgmt', value: `${protocol} ${toBase64(data)}` };
}

/** The crypto offers of a level; what can't be read is left out. */
export function cryptosOf(holder: AttributeHolder): CryptoAttribute[] {
  const found: CryptoAttribute[] = [];
  for (const value of attributesOf(holder, 'crypto')) {
    const [tag = '', suite, keys, ...sessionParameters] = value.split(/\s+/);
    if (!/^\d{1,9}$/.test(tag) || suite === undefined || keys === undefined) continue;
    const keyParameters = keys.split(';').filter((key) => key !== '');
    if (keyParameters.length > 0) found.push({ tag: Number(tag), suite, keyParameters, sessionParameters });
  }
  return found;
}

export function cryptoAttribute({ tag, suite, keyParameters, sessionParameters }: CryptoAttribute): Attribute {
  return { name: 'crypto', value: [tag, suite, keyParameters.join(';'), ...sessionParameters].join(' ') };
}
