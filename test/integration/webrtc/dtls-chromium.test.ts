import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DtlsEvent } from '../../../src/protocol/dtls/dtls-session.ts';
import type { CertificateFingerprint } from '../../../src/protocol/dtls/fingerprint.ts';
import { HandshakeType, parseHandshakeFragments } from '../../../src/protocol/dtls/handshake-message.ts';
import { parseRecord } from '../../../src/protocol/dtls/record.ts';
import { ChromiumPage } from '../../peers/chromium.ts';
import { type CertificateKind, certificateOf, makeSession } from './dtls-kit.ts';
import { fingerprintOf, IceDtlsPort, SDP_HEAD } from './ice-dtls-port.ts';

const START_TIMEOUT_MS = 30_000;

let browser: ChromiumPage;

beforeAll(async () => {
  browser = await ChromiumPage.open();
}, START_TIMEOUT_MS);

afterAll(() => browser.close(), START_TIMEOUT_MS);

/** What the page runs, as text: there are no types of browsers here. */
const KEY_ALGORITHMS: Readonly<Record<CertificateKind, string>> = {
  'ecdsa-p256': "{ name: 'ECDSA', namedCurve: 'P-256' }",
  rsa: "{ name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' }",
};

/** Lets the page make an offer with a certificate of that kind. */
function makeOffer(kind: CertificateKind): Promise<string> {
  return browser.page.evaluate<string>(`(async () => {
    const certificate = await RTCPeerConnection.generateCertificate(${KEY_ALGORITHMS[kind]});
    globalThis.connection = new RTCPeerConnection({ certificates: [certificate] });
    connection.createDataChannel('data');
    connection.addTransceiver('audio');
    await connection.setLocalDescription();
    return connection.localDescription.sdp;
  })()`);
}

/** Lets the page take the answer, and waits until it is connected. */
function takeAnswer(sdp: string): Promise<void> {
  return browser.page.evaluate<void>(`(async () => {
    await connection.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(sdp)} });
    while (connection.connectionState !== 'connected') await new Promise((resolve) => setTimeout(resolve, 5));
  })()`);
}

function writeAnswer(
  offer: string,
  port: IceDtlsPort,
  setup: 'active' | 'passive',
  fingerprint: CertificateFingerprint,
): string {
  const transport = port.describe(setup, fingerprint);
  const mids = [...offer.matchAll(/^a=mid:(.+)\r$/gm)].map(([, mid]) => mid!);
  const media = [...offer.matchAll(/^m=(\w+)/gm)].flatMap(([, kind], i) => {
    const mid = `a=mid:${mids[i]}`;
    return kind === 'application'
      ? ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', ...transport, mid, 'a=sctp-port:5000']
      : ['m=audio 9 UDP/TLS/RTP/SAVPF 111', ...transport, mid, 'a=recvonly', 'a=rtcp-mux', 'a=rtpmap:111 opus/48000/2'];
  });
  return `${[...SDP_HEAD, `a=group:BUNDLE ${mids.join(' ')}`, ...media].join('\r\n')}\r\n`;
}

/** Datagrams the client's hello came in, the repeated ones left out. */
function fragmentsOfHello(datagrams: readonly Uint8Array[]): number {
  const offsets = datagrams.flatMap((datagram) => {
    const record = parseRecord(datagram, 0);
    const fragments = record?.epoch === 0 ? parseHandshakeFragments(record.fragment).fragments : [];
    return fragments.filter(({ type }) => type === HandshakeType.clientHello).map(({ offset }) => offset);
  });
  return new Set(offsets).size;
}

describe('Chromium', () => {
  const kinds: readonly CertificateKind[] = ['ecdsa-p256', 'rsa'];
  const scenes = (['client', 'server'] as const).flatMap((role) =>
    kinds.flatMap((ours) => kinds.map((theirs) => ({ role, ours, theirs }))),
  );

  it.each(scenes)(
    'with a certificate of $theirs connects to our $role with one of $ours',
    async ({ role, ours, theirs }) => {
      const certificate = certificateOf(ours, 'chromium');
      const events: DtlsEvent[] = [];
      /** Datagrams until it was connected. */
      const received: Uint8Array[] = [];
      const session = makeSession(role, { certificate, initialRetransmissionMs: 100, srtpProfiles: [8, 7, 1] });
      const port = new IceDtlsPort(session, {
        onEvent: (event) => events.push(event),
        onDatagram: (bytes) => session.state === 'connecting' && received.push(bytes),
      });
      const offer = await makeOffer(theirs);
      await port.start(fingerprintOf(offer));
      const setup = role === 'client' ? 'active' : 'passive';
      const answer = writeAnswer(offer, port, setup, certificate.fingerprint('sha-256'));
      await takeAnswer(answer);
      // SCTP of the page: what it sends can be read.
      await expect.poll(() => events.map(({ type }) => type).slice(0, 2)).toEqual(['connected', 'data']);
      // The server's order counts, and Chromium's begins with AES_CM.
      expect(events[0]).toMatchObject({ srtpProfile: role === 'server' ? 8 : 1 });
      if (role === 'server') expect(fragmentsOfHello(received)).toBeGreaterThan(1);
      await browser.page.evaluate('connection.close()');
      await port.close();
    },
  );
});
