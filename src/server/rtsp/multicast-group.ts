import type { DatagramSocket } from '../../io/datagram-socket.ts';
import { DatagramDelivery, type DatagramRoute } from './datagram-delivery.ts';
import type { DatagramPacer } from './datagram-pacer.ts';
import type { MediaEndReason, MediaSession, Playback, PlayOutcome, PlayRefusal, PlayRequest } from './media-session.ts';
import type { MulticastAddress } from './multicast-address.ts';

export interface MulticastGroupOptions extends MulticastAddress {
  readonly session: MediaSession;
  readonly rtpSocket: DatagramSocket;
  readonly rtcpSocket: DatagramSocket;
  readonly pacer: DatagramPacer;
}

/** A media session that is sent once to everybody who has joined a multicast group, as long as somebody plays it. */
export class MulticastGroup implements MulticastAddress {
  readonly address: string;
  readonly timeToLive: number;
  readonly session: MediaSession;
  readonly #options: MulticastGroupOptions;
  readonly #members = new Set<(reason: MediaEndReason) => void>();
  #playback: Playback | undefined;
  #delivery: DatagramDelivery | undefined;

  constructor(options: MulticastGroupOptions) {
    this.address = options.address;
    this.timeToLive = options.timeToLive;
    this.session = options.session;
    this.#options = options;
  }

  /** Whether nobody plays it. */
  get isIdle(): boolean {
    return this.#members.size === 0;
  }

  portOf(track: number): number {
    return this.#options.portOf(track);
  }

  /**
   * One more client. Sending begins with the first PLAY; what one client pauses goes on for the others.
   * @param onEnded the media ended it
   */
  join(onEnded: (reason: MediaEndReason) => void): Playback {
    this.#members.add(onEnded);
    return {
      play: (request) => this.#play(request),
      pause: () => undefined,
      receiveRtcp: () => undefined,
      housekeep: () => this.#playback?.housekeep(),
      close: () => {
        this.#members.delete(onEnded);
        if (this.isIdle) this.#stop();
      },
    };
  }

  #play(request: PlayRequest): PlayOutcome | PlayRefusal | Promise<PlayOutcome | PlayRefusal> {
    const isFirst = this.#playback === undefined;
    this.#playback ??= this.#open();
    if (isFirst) {
      const tracks = new Set(Array.from({ length: this.session.trackCount }, (_, track) => track));
      return this.#playback.play({ ...request, tracks });
    }
    return { range: 'npt=now-', scale: 1, speed: 1, tracks: [], begin: () => undefined };
  }

  #open(): Playback {
    const { rtpSocket, rtcpSocket, pacer } = this.#options;
    const routes = Array.from({ length: this.session.trackCount }, (_, track): DatagramRoute => {
      const port = this.portOf(track);
      return {
        rtpSocket,
        rtcpSocket,
        rtpTarget: rtpSocket.target(this.address, port),
        rtcpTarget: rtcpSocket.target(this.address, port + 1),
      };
    });
    const delivery = new DatagramDelivery(routes, pacer);
    this.#delivery = delivery;
    return this.session.openPlayback!({
      delivery,
      onEnded: (reason) => {
        this.#stop();
        for (const onEnded of this.#members) onEnded(reason);
      },
    });
  }

  #stop(): void {
    this.#playback?.close(true);
    this.#playback = undefined;
    this.#delivery?.close(() => undefined);
    this.#delivery = undefined;
  }
}
