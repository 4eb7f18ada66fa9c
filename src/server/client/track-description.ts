import type { Track } from '../../codec/track.ts';

/** A track in words: `video h264 High 4.1, 1280x720, 25 fps`, `audio aac LC, 44100 Hz, 2 channels`. */
export function describeTrack(track: Track): string {
  const { kind, trackId, codec, video, audio } = track;
  const name = `${kind}${trackId === 0 ? '' : ` ${trackId}`} ${codec}`;
  if (video !== undefined) {
    const { profile, level, width, height, frameRate } = video;
    const rate = frameRate === undefined ? [] : [`${Number(frameRate.toFixed(3))} fps`];
    return [join([name, profile, level]), `${width}x${height}`, ...rate].join(', ');
  }
  if (audio !== undefined) {
    const { profile, sampleRate, channels } = audio;
    return `${join([name, profile])}, ${sampleRate} Hz, ${channels} ${channels === 1 ? 'channel' : 'channels'}`;
  }
  return name;
}

function join(words: readonly string[]): string {
  return words.filter((word) => word !== '').join(' ');
}
