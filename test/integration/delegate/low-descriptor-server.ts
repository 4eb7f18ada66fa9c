/** Started by a test with few file descriptors: an HTTP server that says its port, and at its end how much CPU it took. */
import { HttpDelegateServer } from '../../../src/server/delegate/http-delegate-server.ts';

const server = await HttpDelegateServer.listen({
  address: '127.0.0.1:0',
  headerTimeoutMs: 60_000,
  onError: (error) => console.log(`error ${error.message}`),
  delegate: {
    onConnect: () => undefined,
    onRequest: (connectionId) => {
      server.send(connectionId, { statusCode: 200, body: 'here' });
    },
    onClose: () => undefined,
  },
});
console.log(`port ${server.port}`);

process.stdin.resume();
process.stdin.on('end', () => {
  const { user, system } = process.cpuUsage();
  console.log(`cpu ${Math.round((user + system) / 1000)} connections ${server.connectionCount}`);
  process.exit(0);
});
