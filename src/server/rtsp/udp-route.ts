import type { DatagramRoute } from './datagram-delivery.ts';

/** Where a client receives one track. */
export interface UdpPeer {
  /** Address of its RTSP connection: media never go anywhere else. */
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

/** Gets what the client sends for one track. `bytes` are lent. */
export interface UdpReceiver {
  receiveRtp(bytes: Uint8Array): void;
  receiveRtcp(bytes: Uint8Array): void;
}

/** The sockets one track goes through. */
export interface UdpRoute extends DatagramRoute {
  readonly serverRtpPort: number;
  readonly serverRtcpPort: number;
  /** Lets go of the ports. Idempotent. */
  close(): void;
}
