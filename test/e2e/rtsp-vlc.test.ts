import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ffmpegPublish } from '../peers/ffmpeg.ts';
import { words } from '../peers/peer-process.ts';
import { vlcRecord } from '../peers/vlc.ts';
import { BBB_CLIP } from './support/clips.ts';
import { expectPart, h264Slices } from './support/coded-bytes.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.open();
});

afterEach(async () => {
  await stage.close();
});

/**
 * Debian's VLC has no live555, and so no RTSP client as others have. What is left is its client of SAT>IP: one track by
 * UDP, a transport stream, asked for without a description.
 */
describe('VLC without live555', () => {
  it('plays the transport stream of a live stream, as it was published', async () => {
    const server = await stage.server();
    const publisher = stage.run(ffmpegPublish({ input: BBB_CLIP, url: server.rtmp('live/x') }));
    await server.whenLive('live/x');
    // Of FLV it leaves out frames whose new times go back.
    const file = stage.path('vlc.ts');
    const { directory } = stage;
    const player = stage.run(vlcRecord({ url: server.rtsp('live/x.ts'), file, directory, format: 'ts' }));
    await expect.poll(() => server.stream('live/x').viewers, { timeout: 10_000 }).toBe(1);
    await publisher.succeeded();
    // It does not listen for BYE.
    player.kill('SIGTERM');
    await player.exit;
    const [source, received] = [await readTracks(BBB_CLIP, 'source'), await readTracks(file, 'received')];
    for (const kind of ['video', 'audio'] as const) {
      // What waits in its packetizers when it is told to end is lost.
      expectPart(received[kind], source[kind], { tailBytes: source[kind].length / 5, lateness: 0.5 });
    }
  });
});

/** The pictures' NAL units and the frames of AAC in a file. */
async function readTracks(file: string, name: string): Promise<{ video: Uint8Array; audio: Uint8Array }> {
  const [video, audio] = [stage.path(`${name}.h264`), stage.path(`${name}.aac`)];
  const outputs = [
    `-map 0:v -c copy${file === BBB_CLIP ? ' -bsf:v h264_mp4toannexb' : ''} -f data ${video}`,
    `-map 0:a -c copy${file === BBB_CLIP ? '' : ' -bsf:a aac_adtstoasc'} -f data ${audio}`,
  ];
  const args = words(`-v error -nostdin -y -i ${file} ${outputs.join(' ')}`);
  await stage.run({ program: 'ffmpeg', args, timeoutMs: 20_000 }).succeeded();
  return { video: h264Slices(await readFile(video)), audio: await readFile(audio) };
}
