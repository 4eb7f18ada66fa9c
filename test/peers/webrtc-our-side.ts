/** Our side of a connection with a real peer: an ICE-lite port or a full agent, which sends media back under new SSRCs. */
import { networkInterfaces } from 'node:os';
import { nodeDtlsCrypto } from '../../src/io/dtls-crypto.ts';
import { nodeSctpCrypto } from '../../src/io/sctp-crypto.ts';
import type { DtlsCertificate } from '../../src/protocol/dtls/dtls-certificate.ts';
import { createSelfSignedCertificate } from '../../src/protocol/dtls/self-signed-certificate.ts';
import type { IceCandidate } from '../../src/protocol/ice/candidate.ts';
import type { IceParameters } from '../../src/protocol/ice/credentials.ts';
import type { IceTuple } from '../../src/protocol/ice/ice-tuple.ts';
import { localUfragOf } from '../../src/protocol/ice/tuple-table.ts';
import type { DataChannelInit } from '../../src/protocol/sctp/data-channel.ts';
import type { SrtpProfileName } from '../../src/protocol/srtp/srtp-profile.ts';
import { WebRtcClient } from '../../src/server/webrtc/webrtc-client.ts';
import { WebRtcPort } from '../../src/server/webrtc/webrtc-port.ts';
import type { WebRtcSession } from '../../src/server/webrtc/webrtc-session.ts';
import type { DataChannelNews } from '../../src/sfu/transport/dtls-srtp-transport.ts';
import {
  readWebRtcSdp,
  type SetupRole,
  type WebRtcDescription,
  type WebRtcSection,
  writeWebRtcSdp,
} from './webrtc-sdp.ts';

export type OurAgent = 'lite' | 'full';
export type OurTransport = 'udp' | 'tcp';
export type OurRole = 'client' | 'server';

export interface OurSideOptions {
  readonly agent: OurAgent;
  readonly transport: OurTransport;
  /** In the handshake of DTLS. */
  readonly role: OurRole;
  readonly offerer: 'us' | 'them';
  readonly certificate?: DtlsCertificate;
  readonly srtpProfiles?: readonly SrtpProfileName[];
  readonly codecs?: Readonly<Record<string, string>>;
  /** Agree to the header extensions and the feedback about transport that the peer offers. */
  readonly withExtensions?: boolean;
  /** Everything that comes, as it comes. */
  readonly onDatagram?: (bytes: Uint8Array) => void;
  readonly onRtp?: (bytes: Uint8Array) => void;
  readonly onRtcp?: (bytes: Uint8Array) => void;
}

/** SSRCs of what is sent back. */
const OUR_SSRCS: Readonly<Record<string, number>> = { audio: 0x51, video: 0x52 };
/** Sections of an offer of ours. */
const OUR_SECTIONS: readonly WebRtcSection[] = [
  { mid: 'audio', kind: 'audio', payloadType: 111, codec: 'opus/48000/2', ssrc: OUR_SSRCS['audio'] },
  { mid: 'video', kind: 'video', payloadType: 96, codec: 'VP8/90000', ssrc: OUR_SSRCS['video'] },
  { mid: 'data', kind: 'application' },
];
const DEFAULT_CODECS: Readonly<Record<string, string>> = { audio: 'opus/48000/2', video: 'VP8/90000' };

/** An address of this machine that all programs use; browsers leave the loopback out. */
export function hostAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

/** Requests for key frames are not passed on more often than this, milliseconds. */
const KEY_FRAME_INTERVAL_MS = 200;

/** PLI or FIR (RFC 4585, RFC 5104) in a compound. */
function hasKeyFrameRequest(compound: Uint8Array): boolean {
  for (let at = 0; at + 4 <= compound.length; at += 4 * (1 + ((compound[at + 2]! << 8) | compound[at + 3]!))) {
    const format = compound[at]! & 0x1f;
    if (compound[at + 1] === 206 && (format === 1 || format === 4)) return true;
  }
  return false;
}

/** What either kind of agent is handled by. */
interface Endpoint {
  readonly session: WebRtcSession<IceTuple>;
  readonly iceParameters: IceParameters;
  readonly candidates: readonly IceCandidate[];
  takeRemote(remote: WebRtcDescription): void;
  restartIce(): IceParameters;
  close(): Promise<void>;
}

export class OurSide {
  readonly certificate: DtlsCertificate;
  readonly iceStates: string[] = [];
  readonly dtlsStates: string[] = [];
  readonly channelEvents: DataChannelNews[] = [];
  /** Takes messages of data channels; events of them are kept in `channelEvents` otherwise. */
  onChannelMessage: ((channelId: number, bytes: Uint8Array) => void) | undefined;
  /** Open channels by id. */
  readonly channels = new Map<number, DataChannelInit>();
  /** Requests of ICE by the fragment of ours they name. */
  readonly checks = new Map<string, number>();
  rtpPackets = 0;
  rtcpPackets = 0;
  selected: IceTuple | undefined;
  readonly #options: OurSideOptions;
  #endpoint!: Endpoint;
  /** SSRC that packets of a payload type go back under. */
  readonly #ssrcs = new Map<number, number>();
  #sections: readonly WebRtcSection[] = [];
  #remoteVideoSsrc = 0;
  #keyFrameAskedMs = 0;

  private constructor(options: OurSideOptions) {
    this.#options = options;
    this.certificate =
      options.certificate ?? createSelfSignedCertificate({ crypto: nodeDtlsCrypto, wallClockMs: Date.now() });
  }

  static async open(options: OurSideOptions): Promise<OurSide> {
    const side = new OurSide(options);
    side.#endpoint = options.agent === 'lite' ? await side.#openLite() : await side.#openFull();
    side.#listenIn();
    return side;
  }

  get usernameFragment(): string {
    return this.#endpoint.iceParameters.usernameFragment;
  }

  get session(): Endpoint['session'] {
    return this.#endpoint.session;
  }

  /** Our offer; the setup says the role, as `actpass` would let the peer choose. */
  offer(isDataOnly: boolean): string {
    this.#sections = isDataOnly ? OUR_SECTIONS.filter(({ kind }) => kind === 'application') : OUR_SECTIONS;
    return this.#describe(this.#options.role === 'client' ? 'active' : 'passive');
  }

  /** Takes the answer to our offer. */
  accept(answer: string): void {
    const remote = this.#take(answer);
    this.#connect(remote);
  }

  /** Our answer to an offer, after which it begins to connect. */
  answer(offer: string): string {
    const remote = this.#take(offer);
    this.#sections = remote.sections.map((section) => ({
      ...section,
      ssrc: OUR_SSRCS[section.kind],
      extensions: this.#options.withExtensions === true ? section.extensions : [],
    }));
    const answer = this.#describe(this.#options.role === 'client' ? 'active' : 'passive');
    this.#connect(remote);
    return answer;
  }

  /** Our answer to an offer that restarts ICE. */
  answerRestart(offer: string): string {
    this.#endpoint.restartIce();
    this.#take(offer);
    return this.#describe(this.#options.role === 'client' ? 'active' : 'passive');
  }

  openChannel(label: string, options: { readonly ordered: boolean }): void {
    this.session.withDataChannels((channels, nowMs) => channels.open({ label, ...options }, nowMs).events);
  }

  /** Asks the peer for a key frame. */
  requestKeyFrame(): void {
    const packet = new Uint8Array(12 + 64);
    packet.set([0x81, 206, 0, 2]);
    const view = new DataView(packet.buffer);
    view.setUint32(4, OUR_SSRCS['video']!);
    view.setUint32(8, this.#remoteVideoSsrc);
    this.session.sendRtcp(packet, 12);
  }

  async close(): Promise<void> {
    await this.#endpoint.close();
  }

  /** Counts the checks that come, and shows what else does. */
  #listenIn(): void {
    const { session } = this.#endpoint;
    const receive = session.receive.bind(session);
    session.receive = (bytes, tuple) => {
      this.#options.onDatagram?.(bytes);
      const usernameFragment = localUfragOf(bytes);
      if (usernameFragment !== undefined) {
        this.checks.set(usernameFragment, (this.checks.get(usernameFragment) ?? 0) + 1);
      }
      receive(bytes, tuple);
    };
  }

  #take(sdp: string): WebRtcDescription {
    const remote = readWebRtcSdp(sdp, this.#options.codecs ?? DEFAULT_CODECS);
    for (const { kind, payloadType, ssrc } of remote.sections) {
      if (payloadType !== undefined) this.#ssrcs.set(payloadType, OUR_SSRCS[kind]!);
      if (kind === 'video') this.#remoteVideoSsrc = ssrc ?? 0;
    }
    this.#endpoint.takeRemote(remote);
    return remote;
  }

  #connect({ fingerprints }: WebRtcDescription): void {
    this.session.connect(this.#options.role, fingerprints);
  }

  #describe(setup: SetupRole): string {
    const { iceParameters: ice, candidates } = this.#endpoint;
    const fingerprints = [this.certificate.fingerprint('sha-256')];
    return writeWebRtcSdp({ ice, candidates, fingerprints, setup, sections: this.#sections });
  }

  get #sessionOptions() {
    const { srtpProfiles } = this.#options;
    return {
      certificate: this.certificate,
      sctp: { crypto: nodeSctpCrypto },
      dataChannels: true,
      ...(srtpProfiles === undefined ? {} : { srtpProfiles }),
      handlers: {
        onIceState: (state: string) => this.iceStates.push(state),
        onSelectedTuple: (tuple: IceTuple | undefined) => {
          this.selected = tuple;
        },
        onDtlsState: (state: string) => this.dtlsStates.push(state),
        onDataChannels: (event: DataChannelNews) => this.#takeChannelEvent(event),
        onRtp: (bytes: Uint8Array, end: number) => this.#sendBack(bytes, end),
        onRtcp: (bytes: Uint8Array, end: number) => this.#takeRtcp(bytes.subarray(0, end)),
      },
    };
  }

  async #openLite(): Promise<Endpoint> {
    const { transport } = this.#options;
    const port = await WebRtcPort.listen({ [transport]: { host: hostAddress(), port: 0 } });
    const member = port.open(this.#sessionOptions)!;
    return {
      session: member.session as unknown as WebRtcSession<IceTuple>,
      get iceParameters() {
        return member.iceParameters;
      },
      candidates: port.candidates,
      takeRemote: () => undefined,
      restartIce: () => member.restartIce(),
      close: () => port.close(),
    };
  }

  async #openFull(): Promise<Endpoint> {
    const client = await WebRtcClient.open({
      ...this.#sessionOptions,
      role: this.#options.offerer === 'us' ? 'controlling' : 'controlled',
      addresses: [hostAddress()],
      transports: this.#options.transport === 'udp' ? ['udp'] : ['tcp-active', 'tcp-passive'],
    });
    return {
      session: client.session,
      get iceParameters() {
        return client.iceParameters;
      },
      get candidates() {
        return client.candidates;
      },
      takeRemote: ({ ice, candidates }) => {
        client.setRemoteIce(ice);
        for (const candidate of candidates) client.addRemoteCandidate(candidate);
        client.endOfRemoteCandidates();
      },
      restartIce: () => client.restartIce(),
      close: () => client.close(),
    };
  }

  #takeChannelEvent(event: DataChannelNews): void {
    if (event.type === 'channel-message' && this.onChannelMessage !== undefined) {
      this.onChannelMessage(event.channelId, event.bytes);
      return;
    }
    this.channelEvents.push(event);
    if (event.type === 'channel-open') this.channels.set(event.channel.id, event.channel);
    else if (event.type === 'channel-closed') this.channels.delete(event.channelId);
  }

  /** What the peer asks for of its own pictures, which come back to it, it is asked for. */
  #takeRtcp(compound: Uint8Array): void {
    this.rtcpPackets++;
    this.#options.onRtcp?.(compound);
    const nowMs = performance.now();
    const isAsked = hasKeyFrameRequest(compound);
    if (!isAsked || nowMs < this.#keyFrameAskedMs + KEY_FRAME_INTERVAL_MS) return;
    this.#keyFrameAskedMs = nowMs;
    this.requestKeyFrame();
  }

  #sendBack(bytes: Uint8Array, end: number): void {
    this.rtpPackets++;
    this.#options.onRtp?.(bytes.subarray(0, end));
    const ssrc = this.#ssrcs.get(bytes[1]! & 0x7f);
    if (ssrc === undefined) return;
    const packet = new Uint8Array(end + 64);
    packet.set(bytes.subarray(0, end));
    new DataView(packet.buffer).setUint32(8, ssrc);
    this.session.sendRtp(packet, end);
  }
}
