/**
 * Records what real peers send, for the fuzz targets: `node scripts/record-webrtc-corpus.js`. Everything is connected as in the
 * tests of interoperation; files are small, and named after who sent them.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { packetKindOf } from '../../src/protocol/ice/packet-kind.ts';
import { SctpAssociation } from '../../src/protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../src/protocol/sctp/sctp-event.ts';
import { ChromiumPage } from './chromium.ts';
import { ChromiumPeer, FAKE_MEDIA_FLAGS } from './chromium-webrtc.ts';
import { ChildPeer } from './webrtc-child.ts';
import type { WebRtcPeer } from './webrtc-peer.ts';
import { connectPeer, exchangeData, exchangeMedia, until, WEBRTC_SCENES } from './webrtc-scene.ts';

const MAX_FILE_BYTES = 4000;
/** Files of one kind from one peer. */
const MAX_FILES = 6;
const PAGE_URL = 'http://localhost/';
/** A mode of the fuzz target of SCTP: interleaving was offered. */
const SCTP_MODE = 1;

/** What one peer has sent in one scene, in clear. */
class Recording {
  readonly stun: Uint8Array[] = [];
  readonly dtls: Uint8Array[] = [];
  readonly sctp: Uint8Array[] = [];
  readonly dcep: Uint8Array[] = [];
  readonly rtp: Uint8Array[] = [];
  readonly rtcp: Uint8Array[] = [];
}

let recording = new Recording();

const original: (this: SctpAssociation, packet: Uint8Array, nowMs: number) => SctpEvent[] =
  Object.getOwnPropertyDescriptor(SctpAssociation.prototype, 'receive')?.value;
SctpAssociation.prototype.receive = function receive(this: SctpAssociation, packet, nowMs) {
  recording.sctp.push(packet.slice());
  const events = original.call(this, packet, nowMs);
  for (const event of events) {
    if (event.type === 'message' && event.bytes.length < 2000) {
      recording.dcep.push(Uint8Array.of(event.ppid, event.streamId, ...sized(event.bytes)));
    }
  }
  return events;
};

function sized(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(bytes.length >> 8, bytes.length & 0xff, ...bytes);
}

/** As many of the pieces as fit, behind a first byte. */
function joined(first: readonly number[], pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = [...first];
  for (const piece of pieces) if (bytes.length + piece.length <= MAX_FILE_BYTES) bytes.push(...piece);
  return Uint8Array.from(bytes);
}

/** The first of each kind. */
function firstOfEach(packets: readonly Uint8Array[], kindOf: (packet: Uint8Array) => string): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const packet of packets) {
    if (packet.length > 0 && found.size < MAX_FILES && !found.has(kindOf(packet))) found.set(kindOf(packet), packet);
  }
  return found;
}

const rtpKind = (packet: Uint8Array): string =>
  `${packet[1]! & 0x7f}${(packet[0]! & 0x10) === 0 ? '' : '-extension'}${packet[1]! < 0x80 ? '' : '-marker'}`;

function rtcpKind(compound: Uint8Array): string {
  const types: string[] = [];
  for (let at = 0; at + 4 <= compound.length; at += 4 * (1 + ((compound[at + 2]! << 8) | compound[at + 3]!))) {
    types.push(`${compound[at + 1]}.${compound[at]! & 0x1f}`);
  }
  return types.join('-');
}

const STUN_CLASSES: readonly string[] = ['request', 'indication', 'success', 'error'];
const stunKind = (message: Uint8Array): string =>
  `${STUN_CLASSES[((message[0]! & 1) << 1) | ((message[1]! >> 4) & 1)]}-${message.length}`;

async function save(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = new URL(`../corpus/${folder}/`, import.meta.url);
  await mkdir(path, { recursive: true });
  await writeFile(new URL(`${name}.bin`, path), bytes);
}

async function record(name: string, open: () => Promise<WebRtcPeer>): Promise<void> {
  for (const scene of WEBRTC_SCENES.filter(({ agent, transport }) => agent === 'full' && transport === 'udp')) {
    recording = new Recording();
    const { stun, dtls, rtp, rtcp } = recording;
    const peer = await open();
    const ours = await connectPeer(peer, {
      ...scene,
      withExtensions: true,
      withRtcp: true,
      onRtp: (packet) => rtp.push(packet.slice()),
      onRtcp: (packet) => rtcp.push(packet.slice()),
      onDatagram: (bytes) => {
        const kind = packetKindOf(bytes);
        if (kind === 'stun') stun.push(bytes.slice());
        // Records of application data come when the handshake is over.
        else if (kind === 'dtls' && bytes[0] !== 23) dtls.push(bytes.slice());
      },
    });
    await Promise.all([
      exchangeMedia({ ours, peer }, 20, 20),
      exchangeData({ ours, peer }, 3000, 1),
      until(
        () => firstOfEach(rtcp, rtcpKind).size >= 3 || rtcp.length > 40,
        () => `only ${rtcp.length} RTCP packets`,
      ),
    ]);
    await peer.hangUp();
    await ours.close();
    await peer.close();
    const theirs = scene.role === 'client' ? 'server' : 'client';
    for (const [kind, bytes] of firstOfEach(stun, stunKind)) await save('stun', `${name}-${kind}`, bytes);
    await save('dtls', `${name}-${theirs}-flights`, joined([theirs === 'client' ? 0 : 1], dtls.map(sized)));
    await save('sctp', `${name}-${theirs}-setup`, joined([SCTP_MODE], recording.sctp.slice(0, 12).map(sized)));
    await save('sctp', `${name}-${theirs}-middle`, joined([SCTP_MODE | 16], recording.sctp.slice(12).map(sized)));
    await save('sctp', `${name}-${theirs}-end`, joined([SCTP_MODE | 16], recording.sctp.slice(-6).map(sized)));
    await save('dcep', `${name}-${theirs}`, joined([], recording.dcep));
    for (const [kind, bytes] of firstOfEach(rtp, rtpKind)) await save('rtp-packet', `${name}-${kind}`, bytes);
    for (const [kind, bytes] of firstOfEach(rtcp, rtcpKind)) await save('rtcp-packet', `${name}-${kind}`, bytes);
  }
}

await record('libdatachannel', async () => new ChildPeer(new URL('node-datachannel.ts', import.meta.url)));
await record('libwebrtc', async () => new ChildPeer(new URL('wrtc.ts', import.meta.url)));
const browser = await ChromiumPage.open(FAKE_MEDIA_FLAGS);
await browser.page.route(PAGE_URL, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
await browser.page.goto(PAGE_URL);
await record('chromium', () => ChromiumPeer.open(browser));
await browser.close();
