import { afterEach, describe, expect, it } from 'vitest';
import type { ContainerWriter } from '../../src/media/container-writer.ts';
import { RAW_FRAMING, type ViewerCloseReason } from '../../src/media/viewer.ts';
import { LocalServer } from './robustness/local-server.ts';
import { type MediaType, RtmpPeer } from './robustness/rtmp-peer.ts';
import { SeededRandom } from './robustness/seeded-random.ts';
import { StampedPublisher } from './robustness/stamped-publisher.ts';
import { until } from './robustness/until.ts';
import { Watcher } from './robustness/watcher.ts';

const CALM = { path: 'live/calm', frameRate: 25, gopFrames: 25, frameBytes: 6000 };
const JUNK_PATH = 'live/junk';
/** How long junk is sent, milliseconds. */
const JUNK_MS = 10_000;
const MEDIA_TYPES: readonly MediaType[] = [8, 9, 18];

let server: LocalServer;
let calm: StampedPublisher;
const watchers: Watcher[] = [];

async function begin(): Promise<Watcher> {
  server = await LocalServer.start({ latency: 'low' });
  calm = new StampedPublisher({ ...CALM, port: server.rtmpPort });
  await until('the publish is accepted', () => calm.has('publishing'));
  calm.begin();
  calm.run();
  const watcher = new Watcher({ protocol: 'http', port: server.httpPort, path: CALM.path });
  watchers.push(watcher);
  await until('the viewer sees frames', () => watcher.frames > 5);
  return watcher;
}

async function expectCalm(watcher: Watcher): Promise<void> {
  const sent = calm.next;
  await until('the calm viewer is up to date', () => watcher.lastFrame >= sent);
  expect({ gaps: watcher.gaps, closed: watcher.closed }).toEqual({ gaps: 0, closed: false });
}

afterEach(async () => {
  for (const watcher of watchers.splice(0)) watcher.leave();
  calm.vanish();
  await server.close();
});

describe('a publisher that sends random bytes as audio, video and data', () => {
  it('costs nobody else anything, and what made no sense is counted', { timeout: 40_000 }, async () => {
    const watcher = await begin();
    const random = new SeededRandom(20_260_731);
    const junk = new RtmpPeer({ mode: 'publish', port: server.rtmpPort, path: JUNK_PATH });
    await until('the publish is accepted', () => junk.has('publishing'));
    const startMs = performance.now();
    for (const [protocol, suffix] of [
      ['http', '.flv'],
      ['http', '.ts'],
      ['ws', '.flv'],
      ['rtmp', ''],
    ] as const) {
      const port = protocol === 'rtmp' ? server.rtmpPort : server.httpPort;
      const path = suffix === '.ts' ? `${JUNK_PATH}.ts?` : JUNK_PATH;
      watchers.push(new Watcher({ protocol, port, path }));
    }
    let sent = 0;
    await until(
      'ten seconds of junk were sent',
      () => {
        for (let i = 0; i < 20 && !junk.closed; i++) {
          junk.send(random.pick(MEDIA_TYPES), random.below(2 ** 32), junkBody(random));
          sent++;
        }
        return junk.closed || performance.now() - startMs > JUNK_MS;
      },
      JUNK_MS + 10_000,
    );
    expect(sent).toBeGreaterThan(1000);
    await expectCalm(watcher);
    junk.vanish();
    await until(
      'the junk publisher is gone',
      () => server.millrace.counters.rtmp?.connections === expectedConnections(),
    );
    const { malformed, failed } = server.millrace.counters.rtmp!;
    expect([...malformed.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(100);
    expect(failed.get('rtmp/internal')).toBeUndefined();
    expect(server.millrace.counters.viewers.failed).toBe(0);
  });
});

/** The calm publisher, and the RTMP viewer of the junk stream, which waits for the publisher to come back. */
function expectedConnections(): number {
  return 2;
}

/** Bytes that are often nearly right: a known first byte, a plausible packet type. */
function junkBody(random: SeededRandom): Uint8Array {
  const body = random.bytes(random.below(2000));
  if (body.length > 1 && random.below(2) === 0) {
    body[0] = random.pick([0x17, 0x27, 0xaf, 0x2f, 0x90, 0x91, 0x93, 0x02, 0x1c]);
    body[1] = random.below(3);
  }
  return body;
}

describe('a container writer that throws', () => {
  it('ends its own viewers only', async () => {
    const watcher = await begin();
    const stream = server.millrace.hub.list()[0]!;
    const reasons: ViewerCloseReason[] = [];
    let frames = 0;
    const broken: ContainerWriter = {
      writeHeader: () => new Uint8Array(0),
      writeHeaderUpdate: () => new Uint8Array(0),
      writeFrame: () => {
        if (++frames === 40) throw new TypeError('broken on purpose');
        return Uint8Array.of(1);
      },
    };
    stream
      .view({
        rendition: 'broken',
        makeWriter: () => broken,
        framing: RAW_FRAMING,
        sink: { write: () => undefined, bufferedBytes: 0, close: (reason) => reasons.push(reason) },
      })
      .start();
    await until('its viewer is closed', () => reasons.length > 0);
    expect(reasons).toEqual(['failed']);
    await expectCalm(watcher);
    expect(server.millrace.counters.viewers.failed).toBe(1);
  });
});
