/**
 * A peer over the API of browsers (`RTCPeerConnection`), the same for Chromium and libwebrtc. This file has no types of
 * browsers: what is used of them is written here.
 */
import type { OfferOptions, WebRtcPeer, WebRtcPeerReport } from './webrtc-peer.ts';

export interface BrowserTrack {
  readonly kind: string;
  stop(): void;
}

interface BrowserChannel {
  binaryType: string;
  readonly readyState: string;
  onmessage: ((event: { readonly data: string | ArrayBuffer }) => void) | null;
  send(data: string | ArrayBuffer): void;
}

interface BrowserDescription {
  readonly type: string;
  readonly sdp: string;
}

interface BrowserConnection {
  readonly connectionState: string;
  readonly iceGatheringState: string;
  readonly localDescription: BrowserDescription;
  onicegatheringstatechange: (() => void) | null;
  ondatachannel: ((event: { readonly channel: BrowserChannel }) => void) | null;
  ontrack: ((event: { readonly track: BrowserTrack }) => void) | null;
  addTrack(track: BrowserTrack, stream: unknown): unknown;
  createDataChannel(label: string, options?: { readonly ordered: boolean }): BrowserChannel;
  createOffer(options?: { readonly iceRestart: boolean }): Promise<BrowserDescription>;
  createAnswer(): Promise<BrowserDescription>;
  setLocalDescription(description: BrowserDescription): Promise<void>;
  setRemoteDescription(description: BrowserDescription): Promise<void>;
  getStats(): Promise<{ forEach(take: (stats: Readonly<Record<string, unknown>>) => void): void }>;
  close(): void;
}

/** What differs between programs. */
export interface BrowserApi {
  newConnection(): BrowserConnection;
  newStream(): unknown;
  /** A sound and a picture that never end. */
  tracks(): Promise<readonly BrowserTrack[]>;
  /** Plays what comes. */
  play(track: BrowserTrack): void;
  /** Called with the connection's statistics, what was decoded; undefined to take it from them. */
  decoded?(): { readonly video: number; readonly audio: number };
}

/** Written in one function without imports, so that it can be sent to a page as text. */
export function createBrowserPeer(api: BrowserApi): Omit<WebRtcPeer, 'close'> {
  const connection = api.newConnection();
  const channels: BrowserChannel[] = [];
  let tracks: readonly BrowserTrack[] = [];
  let echoedBytes = 0;

  const addChannel = (channel: BrowserChannel): void => {
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => {
      echoedBytes += typeof data === 'string' ? data.length : data.byteLength;
      channel.send(data);
    };
    channels.push(channel);
  };
  connection.ondatachannel = ({ channel }) => addChannel(channel);
  connection.ontrack = ({ track }) => api.play(track);

  const describe = async (description: BrowserDescription): Promise<string> => {
    await connection.setLocalDescription(description);
    if (connection.iceGatheringState !== 'complete') {
      await new Promise<void>((resolve) => {
        connection.onicegatheringstatechange = () => {
          if (connection.iceGatheringState === 'complete') resolve();
        };
      });
    }
    return connection.localDescription.sdp;
  };
  const addTracks = async (): Promise<void> => {
    // They are there already when ICE is restarted.
    if (tracks.length > 0) return;
    tracks = await api.tracks();
    const stream = api.newStream();
    for (const track of tracks) connection.addTrack(track, stream);
  };

  return {
    async offer({ dataOnly = false }: OfferOptions) {
      if (!dataOnly) await addTracks();
      addChannel(connection.createDataChannel('ordered'));
      addChannel(connection.createDataChannel('unordered', { ordered: false }));
      return describe(await connection.createOffer());
    },
    async answer(sdp: string) {
      await connection.setRemoteDescription({ type: 'offer', sdp });
      if (/^m=video/m.test(sdp)) await addTracks();
      return describe(await connection.createAnswer());
    },
    accept: (sdp: string) => connection.setRemoteDescription({ type: 'answer', sdp }),
    restart: async () => describe(await connection.createOffer({ iceRestart: true })),
    async report(): Promise<WebRtcPeerReport> {
      const report = {
        connection: connection.connectionState,
        channels: channels.filter(({ readyState }) => readyState === 'open').length,
        video: 0,
        audio: 0,
        echoedBytes,
        keyFrameRequests: 0,
      };
      if (connection.connectionState === 'closed') return report;
      const stats = await connection.getStats();
      stats.forEach((entry) => {
        if (entry['type'] === 'inbound-rtp' && entry['kind'] === 'video')
          report.video = Number(entry['framesDecoded'] ?? 0);
        if (entry['type'] === 'inbound-rtp' && entry['kind'] === 'audio') {
          // Samples that were made up by the receiver are not sound that came: what was played, in packets of 20 ms.
          const samples = Number(entry['totalSamplesReceived'] ?? 0) - Number(entry['concealedSamples'] ?? 0);
          report.audio = Math.floor(samples / 960);
        }
        if (entry['type'] === 'outbound-rtp' && entry['kind'] === 'video')
          report.keyFrameRequests = Number(entry['pliCount'] ?? 0);
      });
      return { ...report, ...api.decoded?.() };
    },
    async hangUp() {
      connection.close();
      for (const track of tracks) track.stop();
    },
  };
}
