import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { Millrace } from '../../../src/app/millrace.ts';
import type { Frame } from '../../../src/codec/frame.ts';
import type { Track } from '../../../src/codec/track.ts';
import type { Publication } from '../../../src/media/publication.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import type { ConfigurationInput } from '../../../src/server/config/configuration.ts';
import { testConfiguration } from '../robustness/local-server.ts';
import { until } from '../robustness/until.ts';
import { h264Track, PCMA_TRACK, PCMU_TRACK } from './live-stream.ts';
import { expectConsecutive } from './rtp-order.ts';
import { type CameraOptions, PCMU_BACK, ScriptedCamera } from './scripted-camera.ts';
import { rtcpTypes } from './udp-peer.ts';

const COPY = { vhost: DEFAULT_VHOST, app: 'cameras', stream: 'door' };
const TALK = { vhost: DEFAULT_VHOST, app: 'talk', stream: 'door' };
const SR = 200;
const SDES = 202;
const AAC_TRACK: Track = {
  kind: 'audio',
  trackId: 0,
  codec: 'aac',
  config: Uint8Array.of(0x14, 0x08),
  audio: { sampleRate: 16_000, channels: 1, profile: 'LC', codecString: 'mp4a.40.2' },
};

let closers: (() => unknown)[] = [];
let lines: Record<string, unknown>[] = [];
let server: Millrace;

afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  closers = [];
  lines = [];
});

async function start(
  options: CameraOptions,
  source: Partial<NonNullable<ConfigurationInput['sources']>[number]> = { transport: 'tcp' },
): Promise<ScriptedCamera> {
  const camera = await ScriptedCamera.start(options);
  closers.push(() => camera.close());
  const url = `rtsp://127.0.0.1:${camera.port}/stream`;
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  server = await Millrace.start({
    configuration: testConfiguration({
      sources: [{ name: 'cameras/door', url, back_channel: 'talk/door', ...source }],
    }),
    log: pino({ level: 'info' }, { write }),
  });
  closers.push(() => server.close());
  await until('the camera is pulled', () => server.hub.get(COPY)?.state === 'live');
  return camera;
}

/** Somebody who speaks: a packet of sound at a time, each unlike any other. */
class Speaker {
  readonly #publication: Publication;
  readonly #track: Track;
  readonly spoken: string[] = [];
  #frames = 0;

  constructor(track: Track, others: readonly Track[] = []) {
    this.#track = track;
    const info = { id: 'test', protocol: 'rtmp', remote: 'test' } as const;
    this.#publication = server.hub.getOrCreate(TALK).publish(info, () => undefined);
    for (const one of [...others, track]) this.#publication.track(one);
    closers.push(() => this.end());
  }

  /** @param skippedMs how much later it is than the end of what was said before */
  say(count: number, skippedMs = 0): void {
    this.#frames += skippedMs / 20;
    for (let i = 0; i < count; i++) {
      const atUs = this.#frames * 20_000;
      const payload = Uint8Array.from({ length: 160 }, (_, at) => (this.#frames * 7 + at * 13) & 0xff);
      const frame: Frame = { track: this.#track, dtsUs: atUs, ptsUs: atUs, isKeyFrame: true, payload };
      this.#publication.frame(frame);
      this.spoken.push(hex(payload));
      this.#frames++;
    }
  }

  end(): void {
    this.#publication.end('unpublished');
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const payloads = (packets: readonly Uint8Array[], header = 12): string[] =>
  packets.map((packet) => hex(packet.subarray(header)));
const timestampOf = (packet: Uint8Array): number => new DataView(packet.buffer, packet.byteOffset).getUint32(4);
const told = (text: string): Record<string, unknown>[] => lines.filter(({ msg }) => String(msg).includes(text));

/** The camera hears what is said from some frame on: speaks until the first came. */
async function speakUntilHeard(camera: ScriptedCamera, speaker: Speaker): Promise<void> {
  const before = camera.rtp.length;
  await until('something was heard', () => {
    if (camera.rtp.length === before) speaker.say(1);
    return camera.rtp.length > before;
  });
}

describe('the back channel of a camera', () => {
  it.each(['tcp', 'udp'] as const)('has what the stream says, as it is, by %s', async (transport) => {
    const camera = await start({ back: PCMU_BACK }, { transport });
    const speaker = new Speaker(PCMU_TRACK, [h264Track()]);
    await speakUntilHeard(camera, speaker);
    speaker.say(20);
    const last = speaker.spoken.at(-1)!;
    await until('all was heard', () => payloads(camera.rtp).at(-1) === last);
    const heard = payloads(camera.rtp);
    expect(heard.length).toBeGreaterThan(20);
    expect(heard).toEqual(speaker.spoken.slice(-heard.length));
    expectConsecutive(camera.rtp);
    const times = camera.rtp.map(timestampOf);
    expect(times.slice(1).map((time, i) => (time - times[i]!) >>> 0)).toEqual(times.slice(1).map(() => 160));
    expect(camera.rtp[0]![1]).toBe(0);
    await until('a report came', () => camera.rtcp.length > 0);
    expect(rtcpTypes(camera.rtcp[0]!)).toEqual([SR, SDES]);
    expect(told('sound goes to the camera')).toHaveLength(1);
    expect(camera.requests).toEqual(['OPTIONS', 'DESCRIBE+', 'SETUP+', 'SETUP+', 'PLAY+']);
  });

  it('goes on by the same source and clock when the stream comes again', async () => {
    const camera = await start({ back: PCMU_BACK });
    const first = new Speaker(PCMU_TRACK);
    await speakUntilHeard(camera, first);
    first.end();
    await until('the end was seen', () => told('has ended').length === 1);
    const pausedMs = 300;
    await new Promise((resolve) => setTimeout(resolve, pausedMs));
    const heardBefore = camera.rtp.length;
    const second = new Speaker(PCMU_TRACK);
    await speakUntilHeard(camera, second);
    expectConsecutive(camera.rtp);
    expect(new Set(camera.rtp.map((packet) => hex(packet.subarray(8, 12)))).size).toBe(1);
    const [before, after] = [camera.rtp[heardBefore - 1]!, camera.rtp[heardBefore]!];
    const skippedMs = ((timestampOf(after) - timestampOf(before)) | 0) / 8;
    expect(skippedMs).toBeGreaterThan(pausedMs - 50);
    expect(skippedMs).toBeLessThan(5_000);
    expect(told('sound goes to the camera')).toHaveLength(2);
  });

  it('speaks again after the camera was lost', async () => {
    const camera = await start({ back: PCMU_BACK });
    const speaker = new Speaker(PCMU_TRACK);
    await speakUntilHeard(camera, speaker);
    camera.cut();
    await until('it is pulled again', () => told('pulling').length === 2);
    const heardBefore = camera.rtp.length;
    await speakUntilHeard(camera, speaker);
    expect(hex(camera.rtp[heardBefore]!.subarray(8, 12))).not.toBe(hex(camera.rtp[0]!.subarray(8, 12)));
    expect(told('sound goes to the camera')).toHaveLength(2);
    expect(told('has ended')).toEqual([]);
  });

  it('has AAC where the camera takes the same, under the payload type it names', async () => {
    const back = [
      'm=audio 0 RTP/AVP 101',
      'a=rtpmap:101 mpeg4-generic/16000/1',
      'a=fmtp:101 streamtype=5;profile-level-id=15;mode=AAC-hbr;config=1408;SizeLength=13;IndexLength=3;IndexDeltaLength=3',
    ];
    const camera = await start({ back });
    const speaker = new Speaker(AAC_TRACK);
    await speakUntilHeard(camera, speaker);
    // Behind the size of the unit.
    await until('all was heard', () => payloads(camera.rtp, 16).at(-1) === speaker.spoken.at(-1));
    expect(payloads(camera.rtp, 16)).toEqual(speaker.spoken.slice(-camera.rtp.length));
    expect(camera.rtp[0]![1]! & 0x7f).toBe(101);
  });

  it('stays silent for a stream in another format, and says so once', async () => {
    const camera = await start({ back: PCMU_BACK });
    const speaker = new Speaker(PCMA_TRACK);
    await until('it is told', () => {
      speaker.say(1);
      return told('not in a format the camera takes').length > 0;
    });
    speaker.say(20);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(told('not in a format the camera takes')).toMatchObject([
      { backChannel: 'talk/door', codecs: ['g711a/8000'], formats: ['PCMU/8000'] },
    ]);
    expect(camera.rtp).toEqual([]);
  });

  it.each([
    ['does not know it', {}, 'has no back channel', ['OPTIONS', 'DESCRIBE+', 'DESCRIBE', 'SETUP', 'PLAY']],
    [
      'refuses it when it is set up',
      { back: PCMU_BACK, refusal: 453 },
      'refuses its back channel',
      ['OPTIONS', 'DESCRIBE+', 'SETUP+', 'SETUP+', 'PLAY+'],
    ],
    [
      'takes nothing Millrace has',
      { back: ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 G726-32/8000'] },
      'in no format Millrace has',
      ['OPTIONS', 'DESCRIBE+', 'SETUP+', 'PLAY+'],
    ],
  ] as const)('is done without when the camera %s', async (_, options, text, requests) => {
    const camera = await start(options);
    expect(camera.requests).toEqual(requests);
    await until('it is told', () => told(text).length === 1);
    expect(lines.filter(({ level }) => Number(level) >= 40)).toHaveLength(1);
  });
});
