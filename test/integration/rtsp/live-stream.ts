import {
  avcConfigurationFromNalUnits,
  writeAvcDecoderConfiguration,
} from '../../../src/codec/h264/avc-decoder-configuration.ts';
import { joinLengthPrefixed } from '../../../src/codec/nal-unit.ts';
import type { Track } from '../../../src/codec/track.ts';
import type { Publication } from '../../../src/media/publication.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import type { LocalServer } from '../robustness/local-server.ts';

const PPS = Uint8Array.of(0x68, 0xce, 0x3c, 0x80);

/** H.264 without pictures anybody could decode. @param level tells configurations apart */
export function h264Track(level = 0x1e): Track {
  const sps = Uint8Array.of(0x67, 0x42, 0xc0, level, 0xd9, 0x03, 0xc5, 0x68);
  const record = avcConfigurationFromNalUnits([sps, PPS])!;
  return { kind: 'video', trackId: 0, codec: 'h264', config: writeAvcDecoderConfiguration(record) };
}

export const PCMU_TRACK: Track = {
  kind: 'audio',
  trackId: 0,
  codec: 'g711u',
  config: new Uint8Array(0),
  audio: { sampleRate: 8000, channels: 1, profile: '', codecString: 'ulaw' },
};

export const PCMA_TRACK: Track = { ...PCMU_TRACK, codec: 'g711a' };

/** A stream a test publishes itself, frame by frame: 25 pictures and sounds a second, a key frame each second. */
export class LiveStream {
  readonly #publication: Publication;
  readonly video: Track | undefined;
  readonly audio: Track | undefined;
  #frames = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    server: LocalServer,
    path: string,
    tracks: { readonly video?: Track; readonly audio?: Track } = { video: h264Track(), audio: PCMU_TRACK },
    onEnded: () => void = () => undefined,
  ) {
    const slash = path.lastIndexOf('/');
    const name = { vhost: DEFAULT_VHOST, app: path.slice(0, slash), stream: path.slice(slash + 1) };
    const info = { id: 'test', protocol: 'rtmp', remote: 'test' } as const;
    this.#publication = server.millrace.hub.getOrCreate(name).publish(info, onEnded);
    this.video = tracks.video;
    this.audio = tracks.audio;
    if (this.video !== undefined) this.#publication.track(this.video);
    if (this.audio !== undefined) this.#publication.track(this.audio);
  }

  /** Appends so many frames of each track at once. */
  push(count: number, sizeBytes = 300): void {
    for (let i = 0; i < count; i++) {
      const atUs = this.#frames * 40_000;
      const isKeyFrame = this.#frames % 25 === 0;
      if (this.video !== undefined) {
        const nalUnit = new Uint8Array(sizeBytes).fill(this.#frames & 0x7f);
        nalUnit[0] = isKeyFrame ? 0x65 : 0x41;
        // Macroblock 0: who joins here takes it for the beginning of a picture.
        nalUnit[1] = 0x80;
        const payload = joinLengthPrefixed([nalUnit], 4);
        this.#publication.frame({ track: this.video, dtsUs: atUs, ptsUs: atUs, isKeyFrame, payload });
      }
      if (this.audio !== undefined) {
        const payload = new Uint8Array(320).fill(this.#frames & 0x7f);
        this.#publication.frame({ track: this.audio, dtsUs: atUs, ptsUs: atUs, isKeyFrame: true, payload });
      }
      this.#frames++;
    }
  }

  /** Goes on in real time until the end. */
  run(sizeBytes = 300): void {
    this.#timer = setInterval(() => this.push(1, sizeBytes), 40);
  }

  track(track: Track): void {
    this.#publication.track(track);
  }

  /** A frame of a track this stream was not made with. */
  frame(track: Track): void {
    const atUs = this.#frames * 40_000;
    this.#publication.frame({ track, dtsUs: atUs, ptsUs: atUs, isKeyFrame: true, payload: new Uint8Array(320) });
  }

  end(how: 'unpublished' | 'lost' = 'unpublished'): void {
    clearInterval(this.#timer);
    this.#publication.end(how);
  }
}
