import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../codec/frame.ts';
import type { Track } from '../../../codec/track.ts';
import type { MediaFile } from '../../../format/media-file.ts';
import { nodeClock } from '../../../io/node-clock.ts';
import { RTP_FRAMING } from '../../../media/renditions/rtp-framing.ts';
import type { Delivery } from '../delivery.ts';
import type { PlayRequest } from '../media-session.ts';
import { FilePlayback } from './file-playback.ts';

const TRACK: Track = {
  kind: 'audio',
  trackId: 0,
  codec: 'g711u',
  config: new Uint8Array(0),
  audio: { sampleRate: 8000, channels: 1, profile: '', codecString: 'ulaw' },
};
const FRAME_US = 1_000;
const PLAY: PlayRequest = { tracks: new Set([0]), range: undefined, scale: 1, speed: 1 };

/** A file of frames that are numbered, each of which is read when the test says so. */
class SlowFile implements MediaFile {
  readonly tracks = [TRACK];
  readonly durationUs = 1_000_000;
  readonly isSeekable = true;
  /** Calls that are not answered yet. */
  readonly calls: { readonly name: string; readonly settle: () => void; readonly fail: () => void }[] = [];
  mostCalls = 0;
  #next = 0;

  seek(targetUs: number): Promise<number> {
    return this.#call('seek', () => {
      this.#next = Math.floor(targetUs / FRAME_US);
      return this.#next * FRAME_US;
    });
  }

  next(): Promise<Frame | undefined> {
    return this.#call('next', () => {
      const number = this.#next++;
      const atUs = number * FRAME_US;
      return { track: TRACK, dtsUs: atUs, ptsUs: atUs, isKeyFrame: true, payload: Uint8Array.of(number) };
    });
  }

  /** Answers the call that waits, or will. */
  async answer(name: string, how: 'settle' | 'fail' = 'settle'): Promise<void> {
    await expect.poll(() => this.calls[0]?.name).toBe(name);
    this.calls.shift()![how]();
  }

  #call<T>(name: string, result: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.calls.push({ name, settle: () => resolve(result()), fail: () => reject(new RangeError('closed')) });
      this.mostCalls = Math.max(this.mostCalls, this.calls.length);
    });
  }
}

function start() {
  const file = new SlowFile();
  const sent: number[] = [];
  const faults: unknown[] = [];
  const delivery: Delivery = {
    framing: RTP_FRAMING,
    rtpChannel: () => 0,
    setTracks: () => undefined,
    write: (frames) => sent.push(frames.at(-1)!),
    writeRtcp: () => undefined,
    writeBye: () => undefined,
    bufferedBytes: 0,
    onDrain: undefined,
    abort: () => undefined,
    close: (onFlushed) => onFlushed(),
  };
  const playback = new FilePlayback({
    delivery,
    onEnded: () => undefined,
    header: { tracks: [TRACK], metadata: undefined },
    open: async () => ({ file, close: () => undefined }),
    clock: nodeClock,
    random32: () => 1,
    cname: 'x',
    stallTimeoutMs: 1000,
    onFault: (fault) => faults.push(fault),
  });
  /** Plays, with the seek that is needed for it. */
  const play = async (range?: string): Promise<void> => {
    const played = playback.play({ ...PLAY, range });
    await file.answer('seek');
    const outcome = await played;
    if ('statusCode' in outcome) throw new TypeError(`refused with ${outcome.statusCode}`);
    outcome.begin();
  };
  return { file, sent, faults, playback, play };
}

describe('a file that is being read', () => {
  it('is not sought before the read is over', async () => {
    const { file, sent, play, playback } = start();
    await play();
    await file.answer('next');
    await expect.poll(() => file.calls.length).toBe(1);
    const sought = playback.play({ ...PLAY, range: 'npt=0.1-' });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(file.calls.map(({ name }) => name)).toEqual(['next']);
    await file.answer('next');
    await file.answer('seek');
    const outcome = await sought;
    if ('begin' in outcome) outcome.begin();
    await file.answer('next');
    await expect.poll(() => sent).toEqual([0, 100]);
    expect(file.mostCalls).toBe(1);
    playback.close(false);
  });

  it('loses nothing when it is paused then', async () => {
    const { file, sent, play, playback } = start();
    await play();
    await file.answer('next');
    await expect.poll(() => file.calls.length).toBe(1);
    playback.pause(PLAY.tracks);
    await file.answer('next');
    const outcome = await playback.play(PLAY);
    if ('begin' in outcome) outcome.begin();
    await file.answer('next');
    await expect.poll(() => sent).toEqual([0, 1, 2]);
    playback.close(false);
  });

  it('may be left: that is no fault of it', async () => {
    const { file, faults, play, playback } = start();
    await play();
    await expect.poll(() => file.calls.length).toBe(1);
    playback.close(false);
    await file.answer('next', 'fail');
    const other = start();
    const played = other.playback.play(PLAY);
    await expect.poll(() => other.file.calls.length).toBe(1);
    other.playback.close(false);
    await other.file.answer('seek', 'fail');
    expect(await played).toEqual({ statusCode: 455 });
    expect([...faults, ...other.faults]).toEqual([]);
  });
});
