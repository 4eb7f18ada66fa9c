/** The load of the WebRTC benchmark: clients with sockets of their own that send RTP at a steady rate. */
import { randomBytes } from 'node:crypto';
import { nodeDtlsCrypto } from '../../src/io/dtls-crypto.ts';
import { createSelfSignedCertificate } from '../../src/protocol/dtls/self-signed-certificate.ts';
import { WebRtcClient } from '../../src/server/webrtc/webrtc-client.ts';
import { monotonicUs, sleep } from './clock.ts';
import { BenchError } from './errors.ts';
import {
  answerCommands,
  type ClientsCommand,
  countersOf,
  PACKET_BYTES,
  type ServerDescription,
  type WebRtcSettings,
} from './webrtc-protocol.ts';

const CONNECT_TIMEOUT_MS = 30_000;
/** How often it is looked what is due. */
const SEND_INTERVAL_MS = 1;
/** Packets sent at once when this process is late; what else was due is not made up for. */
const MAX_BURST_PACKETS = 100;

const settings = JSON.parse(process.argv[2] ?? '{}') as WebRtcSettings;
const certificate = createSelfSignedCertificate({ crypto: nodeDtlsCrypto, wallClockMs: Date.now() });
const clients: SendingClient[] = [];
let received = 0;
let sent = 0;
let stopSending: () => void = () => undefined;

/** A client and the RTP stream it sends. */
class SendingClient {
  readonly client: WebRtcClient;
  readonly #packet: Uint8Array;
  #sequenceNumber = 0;

  constructor(client: WebRtcClient, ssrc: number) {
    this.client = client;
    this.#packet = Buffer.alloc(PACKET_BYTES);
    this.#packet.set(randomBytes(PACKET_BYTES));
    this.#packet.set([0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, ssrc >>> 8, ssrc & 0xff]);
  }

  get isConnected(): boolean {
    return this.client.session.secure.srtpSender !== undefined;
  }

  send(): void {
    const { session } = this.client;
    const packet = Buffer.allocUnsafe(PACKET_BYTES + (session.secure.srtpSender?.rtpOverheadBytes ?? 0));
    packet.set(this.#packet);
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    packet.writeUInt16BE(this.#sequenceNumber, 2);
    if (session.sendRtp(packet, PACKET_BYTES)) sent++;
  }
}

async function connect(server: ServerDescription): Promise<void> {
  const expected = { algorithm: 'sha-256', value: Buffer.from(server.fingerprint, 'hex') };
  let failure: string | undefined;
  for (const iceParameters of server.iceParameters) {
    const client = await WebRtcClient.open({
      certificate,
      srtpProfiles: [settings.profile],
      role: 'controlling',
      addresses: ['127.0.0.1'],
      handlers: {
        onRtp: () => {
          received++;
        },
        onDtlsState: (state, error) => {
          if (state === 'failed') failure ??= error?.message ?? 'DTLS failed';
        },
      },
    });
    clients.push(new SendingClient(client, clients.length + 1));
    client.setRemoteIce(iceParameters);
    for (const candidate of server.candidates) client.addRemoteCandidate(candidate);
    client.endOfRemoteCandidates();
    client.session.connect('client', [expected]);
  }
  const deadlineMs = performance.now() + CONNECT_TIMEOUT_MS;
  while (clients.some(({ isConnected }) => !isConnected)) {
    if (failure !== undefined || performance.now() > deadlineMs) {
      const joined = clients.filter(({ isConnected }) => isConnected).length;
      throw new BenchError('bench/not-joined', `${joined} got through, then: ${failure ?? 'no keys in time'}`);
    }
    await sleep(20);
  }
}

/** Sends what is due, one client after the other. */
function startSending(packetsPerSecond: number): void {
  stopSending();
  if (packetsPerSecond === 0) return;
  const startUs = monotonicUs();
  let handled = 0;
  let next = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((monotonicUs() - startUs) / 1e6) * packetsPerSecond);
    for (let i = Math.max(handled, due - MAX_BURST_PACKETS); i < due; i++) {
      clients[next]!.send();
      next = (next + 1) % clients.length;
    }
    handled = due;
  }, SEND_INTERVAL_MS);
  stopSending = () => clearInterval(timer);
}

answerCommands<ClientsCommand>(async (command) => {
  if (command.type === 'certificate') return Buffer.from(certificate.fingerprint('sha-256').value).toString('hex');
  if (command.type === 'connect') await connect(command.server);
  if (command.type === 'send') startSending(command.packetsPerSecond);
  return countersOf(received, sent);
});
