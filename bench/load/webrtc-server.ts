/** The measured side of the WebRTC benchmark: one port, whose sessions take RTP and may send it back. */
import { nodeDtlsCrypto } from '../../src/io/dtls-crypto.ts';
import { fastDatagrams } from '../../src/io/ffi/fast-datagrams.ts';
import { srtpProvider } from '../../src/io/srtp-crypto.ts';
import { createSelfSignedCertificate } from '../../src/protocol/dtls/self-signed-certificate.ts';
import type { PortSession } from '../../src/server/webrtc/port-member.ts';
import { WebRtcPort } from '../../src/server/webrtc/webrtc-port.ts';
import { BenchError } from './errors.ts';
import {
  answerCommands,
  countersOf,
  type ServerCommand,
  type ServerDescription,
  type ServerProviders,
  type WebRtcSettings,
} from './webrtc-protocol.ts';

const settings = JSON.parse(process.argv[2] ?? '{}') as WebRtcSettings;
const certificate = createSelfSignedCertificate({ crypto: nodeDtlsCrypto, wallClockMs: Date.now() });
let isEchoing = false;
let received = 0;
let sent = 0;

function openSession(port: WebRtcPort): PortSession {
  const opened = port.open({
    certificate,
    srtpProfiles: [settings.profile],
    handlers: {
      onRtp: (bytes, end) => {
        received++;
        if (isEchoing) echo(bytes, end);
      },
    },
  });
  if (opened === undefined) throw new BenchError('bench/server-start', `no ${settings.sessions} sessions on one port`);
  const { session } = opened;
  /** Into memory of its own: there is room for the tag, and it may have to wait in the socket. */
  function echo(bytes: Uint8Array, end: number): void {
    const packet = Buffer.allocUnsafe(end + (session.secure.srtpSender?.rtpOverheadBytes ?? 0));
    packet.set(bytes.subarray(0, end));
    if (session.sendRtp(packet, end)) sent++;
  }
  return opened;
}

async function open(fingerprint: string): Promise<ServerDescription> {
  const port = await WebRtcPort.listen({ udp: { host: '127.0.0.1', port: 0 } });
  const sessions = Array.from({ length: settings.sessions }, () => openSession(port));
  const expected = { algorithm: 'sha-256', value: Buffer.from(fingerprint, 'hex') };
  for (const { session } of sessions) session.connect('server', [expected]);
  return {
    fingerprint: Buffer.from(certificate.fingerprint('sha-256').value).toString('hex'),
    candidates: port.candidates,
    iceParameters: sessions.map(({ iceParameters }) => iceParameters),
  };
}

async function providers(): Promise<ServerProviders> {
  const srtp = srtpProvider();
  const datagrams = await fastDatagrams();
  const sockets = datagrams.receiver === undefined ? 'portable' : 'recvmmsg';
  return { srtp: srtp.name, sockets, reason: srtp.reason ?? datagrams.reason };
}

answerCommands<ServerCommand>(async (command) => {
  if (command.type === 'open') return open(command.fingerprint);
  if (command.type === 'providers') return providers();
  if (command.type === 'echo') isEchoing = command.isEnabled;
  return countersOf(received, sent);
});
