import { describe, expect, it } from 'vitest';
import { toNtpTime } from '../../wire/ntp-time.ts';
import { MAX_ALIGNMENT_US, type RtpClock, RtpTimeline, type SenderTime, TOLERATED_SKEW_US } from './rtp-clock.ts';

const START_US = MAX_ALIGNMENT_US;
const WALL_MS = Date.UTC(2026, 5, 1);

/** One track of a sender whose capture time `ms` counts from its beginning. */
class Source {
  readonly rate: number;
  readonly base: number;
  /** What its wall clock is wrong by. */
  wallErrorMs = 0;

  constructor(rate: number, base: number) {
    this.rate = rate;
    this.base = base;
  }

  timestamp(ms: number): number {
    return (this.base + Math.round((ms * this.rate) / 1000)) % 2 ** 32;
  }

  report(ms: number): SenderTime {
    return { ...toNtpTime(WALL_MS + this.wallErrorMs + ms), rtpTimestamp: this.timestamp(ms) };
  }
}

describe('one track', () => {
  it.each([
    [90_000, 0],
    [90_000, 2 ** 32 - 1],
    [48_000, 2 ** 31],
    [44_100, 2 ** 32 - 44_100],
    [8000, 1],
    [11_025, 12_345],
  ])('at %d units a second from %d keeps time over many wraps', (rate, base) => {
    const source = new Source(rate, base);
    const clock = new RtpTimeline().addClock(rate);
    const stepMs = 3_600_000;
    // Two years in steps of an hour.
    for (let ms = 0; ms < 2 * 365 * 24 * stepMs; ms += stepMs) {
      expect(clock.toUs(source.timestamp(ms), ms) - START_US).toBe(ms * 1000);
    }
  });

  it('does not add up what rounding leaves', () => {
    const clock = new RtpTimeline().addClock(44_100);
    for (let frame = 0; frame < 300_000; frame++) {
      const us = clock.toUs((frame * 1024) % 2 ** 32, 0) - START_US;
      if (us !== Math.round((frame * 1024 * 1_000_000) / 44_100)) expect.fail(`frame ${frame} is at ${us}`);
    }
  });

  it('follows pictures out of order', () => {
    const clock = new RtpTimeline().addClock(90_000);
    const order = [0, 4, 2, 1, 3, 8, 6, 5, 7];
    const base = 2 ** 32 - 9000;
    expect(order.map((i) => clock.toUs((base + i * 3600) % 2 ** 32, i) - START_US)).toEqual(
      order.map((i) => i * 40_000),
    );
  });

  it('goes on where it was when the source restarts, with as much time as passed', () => {
    const clock = new RtpTimeline().addClock(90_000);
    clock.toUs(1000, 0);
    clock.toUs(1000 + 90_000, 1000);
    clock.restart();
    expect(clock.toUs(3_000_000_000, 1500) - START_US).toBe(1_500_000);
    expect(clock.toUs(3_000_090_000, 2500) - START_US).toBe(2_500_000);
  });
});

interface Pair {
  readonly video: Source;
  readonly audio: Source;
  readonly videoClock: RtpClock;
  readonly audioClock: RtpClock;
}

function pairOf(): Pair {
  const line = new RtpTimeline();
  return {
    video: new Source(90_000, 4_000_000_000),
    audio: new Source(48_000, 77),
    videoClock: line.addClock(90_000),
    audioClock: line.addClock(48_000),
  };
}

/** Runs both tracks from `fromMs` to `toMs` of capture; what the audio is ahead of the video at the end, µs. */
function run({ video, audio, videoClock, audioClock }: Pair, fromMs: number, toMs: number, audioLagMs = 0): number {
  let videoUs = Number.NEGATIVE_INFINITY;
  let audioUs = Number.NEGATIVE_INFINITY;
  for (let ms = fromMs; ms <= toMs; ms += 40) {
    const nextVideoUs = videoClock.toUs(video.timestamp(ms), ms + 50);
    const nextAudioUs = audioClock.toUs(audio.timestamp(ms), ms + 50 + audioLagMs);
    expect(nextVideoUs).toBeGreaterThan(videoUs);
    expect(nextAudioUs).toBeGreaterThan(audioUs);
    videoUs = nextVideoUs;
    audioUs = nextAudioUs;
  }
  return audioUs - videoUs;
}

describe('several tracks', () => {
  it('are aligned by arrival until reports come', () => {
    expect(run(pairOf(), 0, 1000, 120)).toBe(120_000);
  });

  it('are aligned exactly from the start when reports come first', () => {
    const pair = pairOf();
    pair.videoClock.receiveSenderReport(pair.video.report(0));
    pair.audioClock.receiveSenderReport(pair.audio.report(-300));
    expect(Math.abs(run(pair, 0, 1000, 120))).toBeLessThanOrEqual(1);
  });

  it('are brought together by and by when reports come later', () => {
    const pair = pairOf();
    expect(run(pair, 0, 1000, 120)).toBe(120_000);
    pair.videoClock.receiveSenderReport(pair.video.report(1000));
    pair.audioClock.receiveSenderReport(pair.audio.report(1000));
    const after = run(pair, 1040, 2000);
    expect(after).toBeGreaterThan(80_000);
    expect(after).toBeLessThan(100_000);
    expect(Math.abs(run(pair, 2040, 6000))).toBeLessThanOrEqual(1);
  });

  it.each([2000, -2000])('step forward, never back, when they are %d ms apart', (lagMs) => {
    const pair = pairOf();
    const { video, audio, videoClock, audioClock } = pair;
    const videoUs = videoClock.toUs(video.timestamp(5000), 0);
    const audioUs = audioClock.toUs(audio.timestamp(5000 + lagMs), 0);
    expect(audioUs).toBe(videoUs);
    videoClock.receiveSenderReport(video.report(5000));
    audioClock.receiveSenderReport(audio.report(5000));
    const laterVideoUs = videoClock.toUs(video.timestamp(9000), 4000);
    const laterAudioUs = audioClock.toUs(audio.timestamp(9000), 4000);
    expect(Math.abs(laterAudioUs - laterVideoUs)).toBeLessThanOrEqual(1);
    expect(laterVideoUs).toBeGreaterThanOrEqual(videoUs + 4_000_000);
    expect(laterAudioUs).toBeGreaterThanOrEqual(audioUs + 2_000_000);
  });

  it('stay as they are for reports that are a little inexact', () => {
    const pair = pairOf();
    for (const [clock, source] of [
      [pair.videoClock, pair.video],
      [pair.audioClock, pair.audio],
    ] as const) {
      clock.receiveSenderReport(source.report(0));
    }
    expect(run(pair, 0, 1000)).toBe(0);
    pair.audio.wallErrorMs = TOLERATED_SKEW_US / 1000 - 1;
    pair.audioClock.receiveSenderReport(pair.audio.report(1000));
    expect(run(pair, 1040, 3000)).toBe(0);
    pair.audio.wallErrorMs = 40;
    pair.audioClock.receiveSenderReport(pair.audio.report(3000));
    expect(run(pair, 3040, 6000)).toBe(40_000);
  });

  it('stay together when the wall clock of the sender is set', () => {
    const pair = pairOf();
    const { video, audio, videoClock, audioClock } = pair;
    videoClock.receiveSenderReport(video.report(0));
    audioClock.receiveSenderReport(audio.report(0));
    run(pair, 0, 1000);
    video.wallErrorMs = 86_400_000;
    videoClock.receiveSenderReport(video.report(1000));
    // Sent before the clock was set.
    audioClock.receiveSenderReport(audio.report(1010));
    expect(run(pair, 1040, 3000)).toBe(0);
    audio.wallErrorMs = 86_400_000;
    audioClock.receiveSenderReport(audio.report(3000));
    videoClock.receiveSenderReport(video.report(3000));
    expect(run(pair, 3040, 5000)).toBe(0);
  });

  it('follow the wall clock when one of them lost time', () => {
    const pair = pairOf();
    reportBoth(pair, 0);
    run(pair, 0, 1000);
    // The encoder lost a second of samples and counts on without them.
    const lame = new Source(48_000, pair.audio.base - 48_000);
    const broken = { ...pair, audio: lame };
    expect(broken.audioClock.toUs(lame.timestamp(2040), 2090)).toBe(START_US + 1_040_000);
    broken.audioClock.receiveSenderReport(lame.report(2040));
    broken.videoClock.receiveSenderReport(pair.video.report(2040));
    expect(Math.abs(run(broken, 2080, 5000))).toBeLessThanOrEqual(1);
  });

  it('stay aligned by arrival when their wall clocks have nothing in common', () => {
    const pair = pairOf();
    pair.audio.wallErrorMs = -WALL_MS;
    for (let ms = 0; ms < 20_000; ms += 5000) {
      reportBoth(pair, ms);
      expect(run(pair, ms, ms + 4960)).toBe(0);
    }
  });

  it('stay as they are when reports say no time', () => {
    const pair = pairOf();
    run(pair, 0, 1000, 120);
    pair.videoClock.receiveSenderReport({ ntpSeconds: 0, ntpFraction: 0, rtpTimestamp: 0 });
    pair.audioClock.receiveSenderReport({ ntpSeconds: 0, ntpFraction: 0, rtpTimestamp: 0 });
    expect(run(pair, 1040, 3000)).toBe(120_000);
  });

  it('are not thrown about without an end by reports that contradict one another', () => {
    const pair = pairOf();
    let forwardUs = 0;
    for (let i = 0; i < 50; i++) {
      const ms = i * 5000;
      pair.audio.wallErrorMs = i % 2 === 0 ? 700 : -700;
      reportBoth(pair, ms);
      run(pair, ms, ms + 4960);
      forwardUs = pair.videoClock.toUs(pair.video.timestamp(ms + 4960), ms + 5010) - START_US - (ms + 4960) * 1000;
    }
    expect(forwardUs).toBeLessThan(10_000_000);
  });

  it('are aligned over the wrap of NTP time in 2036', () => {
    const pair = pairOf();
    const wallMs = Date.UTC(2036, 1, 7, 6, 28, 15) - WALL_MS;
    pair.video.wallErrorMs = wallMs;
    pair.audio.wallErrorMs = wallMs;
    pair.videoClock.receiveSenderReport(pair.video.report(0));
    expect(run(pair, 0, 2000, 100)).toBe(100_000);
    pair.audioClock.receiveSenderReport(pair.audio.report(2000));
    expect(Math.abs(run(pair, 2040, 8000))).toBeLessThanOrEqual(1);
  });

  it('are aligned again after one of them restarted', () => {
    const pair = pairOf();
    reportBoth(pair, 0);
    run(pair, 0, 2000);
    const restarted = { ...pair, audio: new Source(48_000, 999_999) };
    pair.audioClock.restart();
    // Held up by 100 ms.
    restarted.audioClock.toUs(restarted.audio.timestamp(2040), 2190);
    restarted.audioClock.receiveSenderReport(restarted.audio.report(2040));
    expect(Math.abs(run(restarted, 2080, 8000))).toBeLessThanOrEqual(1);
  });
});

function reportBoth({ video, audio, videoClock, audioClock }: Pair, ms: number): void {
  videoClock.receiveSenderReport(video.report(ms));
  audioClock.receiveSenderReport(audio.report(ms));
}
