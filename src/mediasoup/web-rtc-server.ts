import type { DroppedPackets } from '../sfu/transports/dropped-packets.ts';
import type { AppData } from './app-data.ts';
import { Entity } from './entity.ts';
import type { WebRtcTransportImpl } from './web-rtc-transport.ts';

/** Events of a WebRTC server. */
export interface WebRtcServerEvents {
  workerclose: [];
  listenererror: [string, Error];
  '@close': [];
}

/** Events of a WebRTC server's observer. */
export interface WebRtcServerObserverEvents {
  close: [];
  webrtctransporthandled: [WebRtcTransportImpl];
  webrtctransportunhandled: [WebRtcTransportImpl];
}

export interface WebRtcServerDump {
  id: string;
  udpSockets: { ip: string; port: number }[];
  tcpServers: { ip: string; port: number }[];
  webRtcTransportIds: string[];
  localIceUsernameFragments: { localIceUsernameFragment: string; webRtcTransportId: string }[];
  /** Packets that no transport has an address or a name for; and those that were not sent. Not in mediasoup. */
  dropped: Pick<DroppedPackets, 'foreign' | 'overflowed'>;
}

/** Ports that many WebRTC transports share. */
export class WebRtcServerImpl<A extends AppData = AppData> extends Entity<
  A,
  WebRtcServerEvents,
  WebRtcServerObserverEvents
> {
  readonly #transports = new Map<string, WebRtcTransportImpl>();

  close(): void {
    if (!this.markClosed()) return;
    this.channel.requestAndForget('worker.closeWebRtcServer', this.internal);
    for (const transport of this.#transports.values()) {
      transport.listenServerClosed();
      this.observer.safeEmit('webrtctransportunhandled', transport);
    }
    this.#transports.clear();
    this.emit('@close');
    this.observer.safeEmit('close');
  }

  /** @private */
  workerClosed(): void {
    if (!this.markClosed()) return;
    // The routers of the worker have closed its transports.
    this.#transports.clear();
    this.safeEmit('workerclose');
    this.observer.safeEmit('close');
  }

  async dump(): Promise<WebRtcServerDump> {
    return (await this.request('webRtcServer.dump')) as WebRtcServerDump;
  }

  /**
   * @private Keeps a transport that listens here.
   * @throws NotFoundError, WorkerClosedError when the server was closed meanwhile; then the transport is, too
   */
  handleWebRtcTransport(transport: WebRtcTransportImpl): void {
    this.checkOpen(() => transport.listenServerClosed());
    this.#transports.set(transport.id, transport);
    this.observer.safeEmit('webrtctransporthandled', transport);
    transport.on('@close', () => {
      if (this.#transports.delete(transport.id)) this.observer.safeEmit('webrtctransportunhandled', transport);
    });
  }

  /** @private */
  get webRtcTransportsForTesting(): ReadonlyMap<string, WebRtcTransportImpl> {
    return this.#transports;
  }
}
