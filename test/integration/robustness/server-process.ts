/**
 * A server in a process of its own, so that its memory can be told from the load's: started with `--expose-gc` and a
 * configuration as JSON. Every message from the parent is answered with a report, `glance` with one that costs nothing; it
 * ends with its channel.
 */
import { createHook } from 'node:async_hooks';
import { Millrace } from '../../../src/app/millrace.ts';
import type { ConfigurationInput } from '../../../src/server/config/configuration.ts';
import type { ServerMessage, ServerReport } from './server-report.ts';
import { ServerSockets } from './server-sockets.ts';

const timers = new Set<number>();
createHook({
  init(id, type) {
    if (type === 'Timeout') timers.add(id);
  },
  destroy(id) {
    timers.delete(id);
  },
}).enable();
const sockets = new ServerSockets();
const millrace = await Millrace.start({ configuration: JSON.parse(process.argv[2]!) as ConfigurationInput });

/** Collects until no more comes of it: buffers go a round after what held them. */
async function collect(): Promise<NodeJS.MemoryUsage> {
  let usage = process.memoryUsage();
  for (let round = 0; round < 10; round++) {
    globalThis.gc!();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    const now = process.memoryUsage();
    if (round > 2 && now.heapUsed >= usage.heapUsed && now.arrayBuffers >= usage.arrayBuffers) break;
    usage = now;
  }
  return process.memoryUsage();
}

/** @param usage after a collection, or at a glance */
function reportOf(usage: NodeJS.MemoryUsage): ServerReport {
  const { rtmp, http, viewers } = millrace.counters;
  return {
    heapBytes: usage.heapUsed,
    bufferBytes: usage.external,
    rssBytes: usage.rss,
    connections: sockets.size,
    waitingConnections: sockets.waiting,
    timers: timers.size,
    streams: Object.fromEntries(millrace.hub.list().map((stream) => [stream.key, stream.viewers])),
    viewers,
    http: http!,
    rtmp: {
      connections: rtmp!.connections,
      refused: rtmp!.refused,
      failed: Object.fromEntries(rtmp!.failed),
      malformed: Object.fromEntries(rtmp!.malformed),
    },
  };
}

function tell(message: ServerMessage): void {
  process.send!(message);
}

process.on('message', (question) => {
  if (question === 'glance') tell({ type: 'report', report: reportOf(process.memoryUsage()) });
  else void collect().then((usage) => tell({ type: 'report', report: reportOf(usage) }));
});
process.on('disconnect', () => process.exit(0));
const { rtmp, http, rtsp } = millrace.ports;
tell({ type: 'ready', rtmpPort: rtmp[0]!, httpPort: http[0]!, rtspPort: rtsp[0]! });
