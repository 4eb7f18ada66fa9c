/** As much of offers and answers (RFC 8829) as tests need: one transport, one codec for each section. */
import assert from 'node:assert/strict';
import type { CertificateFingerprint } from '../../src/protocol/dtls/fingerprint.ts';
import { type IceCandidate, parseCandidate, writeCandidate } from '../../src/protocol/ice/candidate.ts';
import type { IceParameters } from '../../src/protocol/ice/credentials.ts';
import {
  type Attribute,
  attributeOf,
  attributesOf,
  type MediaDescription,
} from '../../src/protocol/sdp/session-description.ts';
import { parseSessionDescription } from '../../src/protocol/sdp/session-description-parser.ts';
import { writeSessionDescription } from '../../src/protocol/sdp/session-description-writer.ts';
import { ssrcsOf } from '../../src/protocol/sdp/source-attributes.ts';
import { fromHexadecimal, toHexadecimal } from '../../src/wire/hexadecimal.ts';

export type SetupRole = 'active' | 'passive' | 'actpass';

/** A section of audio, video or data channels. */
export interface WebRtcSection {
  readonly mid: string;
  readonly kind: string;
  /** `undefined` for data channels. */
  readonly payloadType?: number | undefined;
  /** `VP8/90000` */
  readonly codec?: string | undefined;
  readonly formatParameters?: string | undefined;
  /** Values of `extmap`. */
  readonly extensions?: readonly string[] | undefined;
  /** Of who wrote it. */
  readonly ssrc?: number | undefined;
}

/** What an offer or answer says. */
export interface WebRtcDescription {
  readonly ice: IceParameters;
  readonly candidates: readonly IceCandidate[];
  readonly fingerprints: readonly CertificateFingerprint[];
  readonly setup: SetupRole;
  readonly sections: readonly WebRtcSection[];
}

/** Reads what a peer has written; of each section the codec called `codecs[kind]`, or else its first. */
export function readWebRtcSdp(sdp: string, codecs: Readonly<Record<string, string>> = {}): WebRtcDescription {
  const session = parseSessionDescription(sdp);
  assert.ok(session !== undefined, sdp);
  const holders = [...session.media, session];
  const first = (name: string): string => {
    const value = holders.map((holder) => attributeOf(holder, name)).find((found) => found !== undefined);
    assert.ok(value !== undefined, `no ${name} in ${sdp}`);
    return value;
  };
  const lines = new Set(holders.flatMap((holder) => attributesOf(holder, 'candidate')));
  const fingerprints = new Set(holders.flatMap((holder) => attributesOf(holder, 'fingerprint')));
  return {
    ice: {
      usernameFragment: first('ice-ufrag'),
      password: first('ice-pwd'),
      iceLite: attributeOf(session, 'ice-lite') !== undefined,
    },
    candidates: [...lines].flatMap((line) => parseCandidate(line) ?? []),
    fingerprints: [...fingerprints].map((text) => {
      const [algorithm = '', value = ''] = text.split(' ');
      return { algorithm, value: fromHexadecimal(value.replaceAll(':', ''))! };
    }),
    setup: first('setup') as SetupRole,
    sections: session.media.map((media) => readSection(media, codecs[media.type])),
  };
}

function readSection(media: MediaDescription, wanted: string | undefined): WebRtcSection {
  const mid = attributeOf(media, 'mid') ?? '';
  if (media.type === 'application') return { mid, kind: media.type };
  const maps = attributesOf(media, 'rtpmap').map((text) => text.split(' '));
  const found = maps.find(([, name]) => name?.toLowerCase() === wanted?.toLowerCase()) ?? maps[0];
  const payloadType = Number(found?.[0]);
  const parameters = attributesOf(media, 'fmtp').find((text) => text.startsWith(`${payloadType} `));
  return {
    mid,
    kind: media.type,
    payloadType,
    codec: found?.[1],
    formatParameters: parameters?.slice(parameters.indexOf(' ') + 1),
    extensions: attributesOf(media, 'extmap'),
    ssrc: ssrcsOf(media)[0]?.ssrc,
  };
}

/** Writes an offer or answer of ours. */
export function writeWebRtcSdp(description: WebRtcDescription): string {
  const { ice, candidates, fingerprints, setup, sections } = description;
  const transport: Attribute[] = [
    { name: 'ice-ufrag', value: ice.usernameFragment },
    { name: 'ice-pwd', value: ice.password },
    ...fingerprints.map(({ algorithm, value }) => ({
      name: 'fingerprint',
      value: `${algorithm} ${withColons(value)}`,
    })),
    { name: 'setup', value: setup },
    ...candidates.map((candidate) => ({
      name: 'candidate',
      value: writeCandidate(candidate).slice('candidate:'.length),
    })),
    { name: 'end-of-candidates' },
  ];
  const connection = { networkType: 'IN', addressType: 'IP4', address: '0.0.0.0' };
  return writeSessionDescription({
    origin: {
      username: '-',
      sessionId: '1',
      sessionVersion: '1',
      networkType: 'IN',
      addressType: 'IP4',
      address: '0.0.0.0',
    },
    name: '-',
    attributes: [
      { name: 'group', value: `BUNDLE ${sections.map(({ mid }) => mid).join(' ')}` },
      { name: 'msid-semantic', value: 'WMS *' },
      ...(ice.iceLite === true ? [{ name: 'ice-lite' }] : []),
    ],
    media: sections.map((section) => ({
      type: section.kind,
      port: 9,
      protocol: section.kind === 'application' ? 'UDP/DTLS/SCTP' : 'UDP/TLS/RTP/SAVPF',
      formats: section.kind === 'application' ? ['webrtc-datachannel'] : [String(section.payloadType)],
      connection,
      attributes: [...transport, { name: 'mid', value: section.mid }, ...attributesOfSection(section)],
    })),
  });
}

function attributesOfSection(section: WebRtcSection): Attribute[] {
  const { kind, payloadType, codec, formatParameters, extensions = [], ssrc } = section;
  if (kind === 'application') {
    return [
      { name: 'sctp-port', value: '5000' },
      { name: 'max-message-size', value: '262144' },
    ];
  }
  const feedback = [
    ...(kind === 'video' ? ['nack pli', 'ccm fir'] : []),
    ...(extensions.length > 0 ? ['transport-cc', 'goog-remb'] : []),
  ];
  return [
    { name: 'sendrecv' },
    { name: 'rtcp-mux' },
    { name: 'rtpmap', value: `${payloadType} ${codec}` },
    ...extensions.map((value) => ({ name: 'extmap', value })),
    ...feedback.map((value) => ({ name: 'rtcp-fb', value: `${payloadType} ${value}` })),
    ...(formatParameters === undefined ? [] : [{ name: 'fmtp', value: `${payloadType} ${formatParameters}` }]),
    { name: 'msid', value: `ours ${kind}` },
    { name: 'ssrc', value: `${ssrc} cname:ours` },
    { name: 'ssrc', value: `${ssrc} msid:ours ${kind}` },
  ];
}

function withColons(bytes: Uint8Array): string {
  return toHexadecimal(bytes)
    .toUpperCase()
    .replaceAll(/..(?!$)/g, '$&:');
}
