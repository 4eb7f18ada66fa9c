/**
 * What the server says to the page, as JSON over a WebSocket. What the page asks is in `server/requests.ts`, as schemas.
 *
 * page → server  `{ id, method, data }`, answered by `{ id, data }` or `{ id, error: { code, message } }`
 * server → page  `{ event, data }`
 */
import type { types } from 'millrace/mediasoup';

/** What a track shows. A peer sends at most one of each. */
export type Source = 'microphone' | 'camera' | 'screen';

export interface ProducerInfo {
  readonly producerId: string;
  readonly kind: 'audio' | 'video';
  readonly source: Source;
  readonly paused: boolean;
}

export interface PeerInfo {
  readonly peerId: string;
  readonly name: string;
  readonly producers: readonly ProducerInfo[];
  /** The data producer of what the peer writes. */
  readonly chatId?: string;
}

/** What the page needs to make the other end of a transport. */
export type TransportInfo = Pick<
  types.WebRtcTransport,
  'id' | 'iceParameters' | 'iceCandidates' | 'dtlsParameters' | 'sctpParameters'
>;

/** What each method answers. */
export interface Answers {
  join: {
    readonly peerId: string;
    readonly routerRtpCapabilities: types.RtpCapabilities;
    /** Who is there already. */
    readonly peers: readonly PeerInfo[];
    readonly activeSpeakerId: string | null;
  };
  setCapabilities: null;
  openTransport: TransportInfo;
  connectTransport: null;
  restartIce: types.IceParameters;
  produce: { readonly id: string };
  setPaused: null;
  closeProducer: null;
  /** Paused: nothing flows before `resumeConsumer`, so that no key frame is lost. */
  consume: {
    readonly id: string;
    readonly producerId: string;
    readonly kind: 'audio' | 'video';
    readonly rtpParameters: types.RtpParameters;
  };
  resumeConsumer: null;
  setPreferredLayers: null;
  produceData: { readonly id: string };
  consumeData: {
    readonly id: string;
    readonly dataProducerId: string;
    readonly sctpStreamParameters: types.SctpStreamParameters;
    readonly label: string;
    readonly protocol: string;
  };
}

/** What the server tells unasked. */
export interface Notifications {
  peerJoined: PeerInfo;
  peerLeft: { readonly peerId: string };
  /** A new one, or one that was paused or resumed. */
  producerChanged: { readonly peerId: string; readonly producer: ProducerInfo };
  producerClosed: { readonly peerId: string; readonly producerId: string };
  chatOpened: { readonly peerId: string; readonly chatId: string };
  /** Which layers of a consumer are sent now; none while nothing is. */
  layersChanged: { readonly consumerId: string; readonly layers: types.ConsumerLayers | null };
  /** Nobody while everybody is silent. */
  activeSpeaker: { readonly peerId: string | null };
}

/** Why a request was refused. With the first two the page asks again, later. */
export type RefusalCode = 'no-worker' | 'room-closed' | 'room-full' | 'too-many-rooms' | 'wrong-request' | 'not-found';

/** Codes by which the server closes a WebSocket. */
export const CLOSE_CODES = {
  /** The room's media worker died, or the room closed: join again. */
  roomClosed: 4001,
  /** Too many requests, or one that is no request. */
  refused: 4002,
} as const;
