import { describe, expect, it } from 'vitest';
import { Millrace } from '../../src/app/millrace.ts';
import { parseRtmpUrl } from '../../src/protocol/rtmp/stream-url.ts';
import { RtmpClient } from '../../src/server/client/rtmp-client.ts';
import { until } from './robustness/until.ts';

describe('a server that shuts down', () => {
  it('asks clients that know how to reconnect', async () => {
    const server = await Millrace.start({
      configuration: {
        rtmp: { listen: '127.0.0.1:0' },
        http: { enabled: false },
        rtsp: { enabled: false },
        log: { level: 'silent' },
      },
    });
    const client = await RtmpClient.open({
      mode: 'publish',
      url: parseRtmpUrl(`rtmp://127.0.0.1:${server.ports.rtmp[0]}/live/a`)!,
      timeoutMs: 5000,
      insecure: false,
      signal: new AbortController().signal,
    });
    expect(client.reconnectUrl).toBeUndefined();
    await Promise.all([server.close(), until('it was asked', () => client.reconnectUrl !== undefined)]);
    expect(client.reconnectUrl).toContain('/live');
    client.close();
  });
});
