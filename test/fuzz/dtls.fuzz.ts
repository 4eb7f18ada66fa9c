import { nodeDtlsCrypto } from '../../src/io/dtls-crypto.ts';
import { findCertificateKey } from '../../src/protocol/dtls/certificate-key.ts';
import {
  parseCertificateRequest,
  parseCertificates,
  parseCertificateVerify,
  writeCertificates,
  writeCertificateVerify,
} from '../../src/protocol/dtls/certificate-messages.ts';
import { type DtlsEvent, DtlsSession } from '../../src/protocol/dtls/dtls-session.ts';
import { parseHandshakeFragments } from '../../src/protocol/dtls/handshake-message.ts';
import {
  parseClientHello,
  parseHelloVerifyRequest,
  parseServerHello,
  writeClientHello,
} from '../../src/protocol/dtls/hello-messages.ts';
import { HelloVerifier } from '../../src/protocol/dtls/hello-verifier.ts';
import {
  parseClientKeyExchange,
  parseServerKeyExchange,
  writeClientKeyExchange,
  writeServerKeyExchange,
} from '../../src/protocol/dtls/key-exchange-messages.ts';
import { createSelfSignedCertificate } from '../../src/protocol/dtls/self-signed-certificate.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'dtls';

const crypto = nodeDtlsCrypto;
const certificate = createSelfSignedCertificate({ crypto, wallClockMs: 0 });
const verifier = new HelloVerifier(crypto);
/** Datagrams a session may answer one with: a flight at the smallest size that is used here. */
const MAX_ANSWERS = 40;
/** Datagrams of a handshake that is disturbed, resent ones included. */
const MAX_EXCHANGED = 100;

/**
 * First byte: what is fed. 0 a server and 1 a client with datagrams, each behind its length in 16 bits; 2 a handshake of
 * both, three bytes for each change: number of the datagram, place in 256ths of it, and what is XORed there (0 loses it,
 * 255 doubles it); 3 the codecs with a handshake message.
 */
export function run(bytes: Uint8Array): void {
  const rest = bytes.subarray(1);
  switch ((bytes[0] ?? 0) & 3) {
    case 0:
      feed('server', rest);
      break;
    case 1:
      feed('client', rest);
      break;
    case 2:
      disturb(rest);
      break;
    default:
      parse(rest);
  }
}

function makeSession(role: 'client' | 'server'): DtlsSession {
  const expectedFingerprints = [certificate.fingerprint('sha-256')];
  return new DtlsSession({ role, certificate, crypto, expectedFingerprints, srtpProfiles: [7, 1], mtu: 200 });
}

function feed(role: 'client' | 'server', bytes: Uint8Array): void {
  const session = makeSession(role);
  session.start(0);
  let nowMs = 0;
  for (let at = 0; at + 2 <= bytes.length; ) {
    const end = at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!);
    const datagram = bytes.slice(at + 2, end);
    const before = datagram.slice();
    nowMs += 10;
    const events = session.receive(datagram, nowMs);
    expectSameBytes(datagram, before, 'a datagram and what it was');
    if (events.length > MAX_ANSWERS) throw new RangeError(`${events.length} events after one datagram`);
    verifier.judge(datagram, Uint8Array.of(1));
    at = end;
  }
  // Nobody who does not know the random bytes of this run can sign them.
  if (session.state === 'connected') throw new RangeError('connected with a recording');
  session.handleTimeout(nowMs + 60_000);
  if (session.state === 'connecting') throw new RangeError('still connecting after its time');
}

function disturb(script: Uint8Array): void {
  const [client, server] = [makeSession('client'), makeSession('server')];
  const queue: { readonly to: DtlsSession; readonly bytes: Uint8Array }[] = [];
  const keys: unknown[] = [];
  const handle = (from: DtlsSession, events: readonly DtlsEvent[]): void => {
    const to = from === client ? server : client;
    for (const event of events) {
      if (event.type === 'send') queue.push({ to, bytes: event.bytes });
      else if (event.type === 'connected') keys.push(Array.from(event.keys!.clientKey).join());
    }
  };
  handle(server, server.start(0));
  handle(client, client.start(0));
  let nowMs = 0;
  for (let count = 0; count < MAX_EXCHANGED; count++) {
    const next = queue.shift();
    if (next === undefined) {
      nowMs += 1000;
      handle(client, client.handleTimeout(nowMs));
      handle(server, server.handleTimeout(nowMs));
      if (queue.length === 0) break;
      continue;
    }
    for (const datagram of changed(next.bytes, count, script)) handle(next.to, next.to.receive(datagram, nowMs));
  }
  if (keys.length === 2 && keys[0] !== keys[1]) throw new RangeError('connected with different keys');
}

function changed(bytes: Uint8Array, number: number, script: Uint8Array): readonly Uint8Array[] {
  const datagram = bytes.slice();
  for (let at = 0; at + 3 <= script.length; at += 3) {
    if (script[at] !== number) continue;
    const change = script[at + 2]!;
    if (change === 0) return [];
    if (change === 255) return [datagram, datagram];
    datagram[Math.floor((script[at + 1]! * datagram.length) / 256)]! ^= change;
  }
  return [datagram];
}

/** What can be read can be written and read again. */
function parse(body: Uint8Array): void {
  const hello = parseClientHello(body);
  if (hello !== undefined) {
    const written = writeClientHello(hello);
    expectSameBytes(writeClientHello(parseClientHello(written)!), written, 'two hellos');
  }
  parseServerHello(body);
  parseHelloVerifyRequest(body);
  parseCertificateRequest(body);
  parseHandshakeFragments(body);
  const certificates = parseCertificates(body);
  if (certificates !== undefined) expectSameBytes(writeCertificates(certificates), body, 'certificates');
  const signed = parseCertificateVerify(body);
  if (signed !== undefined) expectSameBytes(writeCertificateVerify(signed), body, 'signatures');
  const serverKey = parseServerKeyExchange(body);
  if (serverKey !== undefined) expectSameBytes(writeServerKeyExchange(serverKey), body, 'key exchanges');
  const clientKey = parseClientKeyExchange(body);
  if (clientKey !== undefined) expectSameBytes(writeClientKeyExchange(clientKey), body, 'public keys');
  for (const der of [body, ...(certificates ?? [])]) findCertificateKey(der);
}
