import { describe, expect, it } from 'vitest';
import { DEFAULT_STREAM_SETTINGS, LATENCY_PROFILES } from '../../media/stream-settings.ts';
import type { ConfigurationInput } from './configuration.ts';
import { checkConfiguration } from './load-configuration.ts';
import { mergeReadMs, streamSettings, tcpNoDelay } from './settings.ts';

describe('streamSettings', () => {
  it('of an empty configuration are the defaults of a stream', () => {
    expect(streamSettings(checkConfiguration({}))).toEqual(DEFAULT_STREAM_SETTINGS);
  });

  it.each<[ConfigurationInput, object]>([
    [{ latency: 'low' }, { mergeWriteMs: 50, queueLengthMs: 4_000 }],
    [{ latency: 'realtime' }, { mergeWriteMs: 0, queueLengthMs: 2_000 }],
    [
      { latency: 'realtime', play: { mw_latency: 20 } },
      { mergeWriteMs: 20, queueLengthMs: 2_000 },
    ],
    [
      { latency: 'low', play: { queue_length: 1.5 } },
      { mergeWriteMs: 50, queueLengthMs: 1_500 },
    ],
    [{ play: { mw_latency: 0 } }, { mergeWriteMs: 0, queueLengthMs: 10_000 }],
    [{ play: { time_jitter: 'zero' } }, { jitter: 'zero' }],
    [{ play: { time_jitter: 'full', atc: true } }, { jitter: 'off' }],
    [{ play: { stall_timeout: 2, max_socket_buffer: 1_000 } }, { stallTimeoutMs: 2_000, maxSocketBufferBytes: 1_000 }],
    [{ publish: { grace: 0.5, takeover: 'takeover' } }, { graceMs: 500, takeover: 'takeover' }],
    [{ publish: { firstpkt_timeout: 100, normal_timeout: 150 } }, { firstFrameTimeoutMs: 100, frameTimeoutMs: 150 }],
    [{ play: { log_seconds: 60, log_max_size: 5 } }, { logMaxSeconds: 60, logMaxBytes: 5 }],
  ])('of %j has %j', (input, expected) => {
    expect(streamSettings(checkConfiguration(input))).toMatchObject(expected);
  });
});

describe('tcpNoDelay and mergeReadMs', () => {
  it.each<[ConfigurationInput, boolean, number]>([
    [{}, LATENCY_PROFILES.normal.tcpNoDelay, LATENCY_PROFILES.normal.mergeReadMs],
    [{ latency: 'realtime' }, true, 0],
    [{ latency: 'realtime', rtmp: { tcp_nodelay: false }, publish: { mr_latency: 30 } }, false, 30],
    [{ rtmp: { tcp_nodelay: true }, publish: { mr_latency: 0 } }, true, 0],
  ])('of %j are %s and %i', (input, noDelay, readMs) => {
    const configuration = checkConfiguration(input);
    expect([tcpNoDelay(configuration), mergeReadMs(configuration)]).toEqual([noDelay, readMs]);
  });
});
