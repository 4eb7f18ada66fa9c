import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** An RTSP server that knows nothing but what a test says. */
export interface ScriptedRtspServer {
  readonly port: number;
  /** Connections so far, the newest last. */
  readonly sockets: readonly Socket[];
  close(): void;
}

/** Answers requests by what `answerTo` says: status line and headers behind the CSeq, and a body. */
export async function startScriptedRtspServer(
  answerTo: (method: string, request: string) => readonly [head: string, body?: string],
): Promise<ScriptedRtspServer> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      for (const request of bytes.toString('latin1').split('\r\n\r\n')) {
        const sequence = /^CSeq: *(\d+)/im.exec(request)?.[1];
        if (sequence === undefined) continue;
        const [head, body = ''] = answerTo(/[A-Z_]+(?= rtsps?:)/.exec(request)?.[0] ?? '', request);
        socket.write(`RTSP/1.0 ${head}\r\nCSeq: ${sequence}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
