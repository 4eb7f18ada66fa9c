import { createSocket, type Socket } from 'node:dgram';

/** Below the range from which Linux takes ports for outgoing connections. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
/** A burst of a key frame fits into this many bytes of kernel memory. */
const RECEIVE_BUFFER_BYTES = 1_000_000;

let nextPort = FIRST_PORT;

/** A port for RTP and the next one for RTCP, both open. */
export interface UdpPortPair {
  readonly port: number;
  close(): void;
}

function bind(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address: host, port, exclusive: true }, () => resolve(socket));
  });
}

/** Opens the next free pair; `packet` receives what comes for its RTP port, RTCP is read and dropped. */
export async function openUdpPorts(host: string, packet: (bytes: Uint8Array) => void): Promise<UdpPortPair> {
  for (;;) {
    const port = nextPort;
    nextPort += 2;
    let rtp: Socket | undefined;
    try {
      rtp = await bind(host, port);
      const rtcp = await bind(host, port + 1);
      const media = rtp;
      media.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
      media.on('message', packet);
      const close = (): void => {
        media.close();
        rtcp.close();
      };
      return { port, close };
    } catch (error) {
      rtp?.close();
      if (nextPort > LAST_PORT) throw error;
    }
  }
}
