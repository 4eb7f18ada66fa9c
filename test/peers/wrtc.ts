/** A peer of libwebrtc, run by `ChildPeer`, with a picture and a sound made here and sinks that count. */
import { type BrowserApi, type BrowserTrack, createBrowserPeer } from './webrtc-browser-peer.ts';
import { servePeer } from './webrtc-child.ts';

/** What is used of a package whose types need those of browsers. */
interface Wrtc {
  readonly RTCPeerConnection: new (configuration: object) => ReturnType<BrowserApi['newConnection']>;
  readonly MediaStream: new () => unknown;
  readonly nonstandard: {
    readonly RTCVideoSource: new () => { createTrack(): BrowserTrack; onFrame(frame: object): void };
    readonly RTCAudioSource: new () => { createTrack(): BrowserTrack; onData(data: object): void };
    readonly RTCVideoSink: new (track: BrowserTrack) => { onframe: () => void };
    readonly RTCAudioSink: new (track: BrowserTrack) => { ondata: (data: { samples: Int16Array }) => void };
  };
}

const { default: wrtc } = (await import('@roamhq/wrtc')) as unknown as { readonly default: Wrtc };
const WIDTH = 320;
const HEIGHT = 240;
const SAMPLE_RATE = 48_000;
const TONE_HZ = 440;

const decoded = { video: 0, audio: 0 };
/** Sinks live as long as somebody knows them. */
const sinks: unknown[] = [];

function makeTracks(): readonly BrowserTrack[] {
  const video = new wrtc.nonstandard.RTCVideoSource();
  const audio = new wrtc.nonstandard.RTCAudioSource();
  let frames = 0;
  setInterval(() => {
    const data = new Uint8ClampedArray(WIDTH * HEIGHT * 1.5).fill(128);
    data.fill((frames++ * 8) % 256, 0, (WIDTH * HEIGHT) / 2);
    video.onFrame({ width: WIDTH, height: HEIGHT, data });
  }, 33);
  let at = 0;
  setInterval(() => {
    const samples = new Int16Array(SAMPLE_RATE / 100);
    for (let i = 0; i < samples.length; i++) samples[i] = 8000 * Math.sin((2 * Math.PI * TONE_HZ * at++) / SAMPLE_RATE);
    audio.onData({
      samples,
      sampleRate: SAMPLE_RATE,
      bitsPerSample: 16,
      channelCount: 1,
      numberOfFrames: samples.length,
    });
  }, 10);
  return [audio.createTrack(), video.createTrack()];
}

servePeer(
  createBrowserPeer({
    newConnection: () => new wrtc.RTCPeerConnection({}),
    newStream: () => new wrtc.MediaStream(),
    tracks: async () => makeTracks(),
    play: (track) => {
      if (track.kind === 'video') {
        const sink = new wrtc.nonstandard.RTCVideoSink(track);
        sink.onframe = () => {
          decoded.video++;
        };
        sinks.push(sink);
      } else {
        const sink = new wrtc.nonstandard.RTCAudioSink(track);
        sink.ondata = ({ samples }) => {
          // Silence is what there is before anything comes. Two of these are a packet.
          if (samples.some((sample) => Math.abs(sample) > 1000)) decoded.audio += 0.5;
        };
        sinks.push(sink);
      }
    },
    decoded: () => ({ ...decoded }),
  }),
);
