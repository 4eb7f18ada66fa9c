/** The example application: the documented command, and three people in a room of it. */
import { on, once } from 'node:events';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ChromiumPage } from '../peers/chromium.ts';
import { ffmpegMake } from '../peers/ffmpeg.ts';
import type { PeerProcess } from '../peers/peer-process.ts';
import { Stage } from './support/stage.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Few pictures a second: three pages encode and decode on the machine that tests. */
const FLAGS = [
  '--use-fake-device-for-media-stream=fps=8',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];
const PATIENCE = { timeout: 20_000 };

/** What the microphones hear: tones that come and go as syllables do, or else noise suppression takes them away. */
const TONES = [160, 480, 1200].map((hertz) => `sin(2*PI*${hertz}*t)`).join('+');
const SYLLABLES = `aevalsrc=0.25*(${TONES})*gt(sin(2*PI*3*t)\\,-0.3):s=48000:d=6`;

/** Keeps the connections a page makes, so that their statistics can be asked for. */
const KEEP_CONNECTIONS = `
  globalThis.connections = [];
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) { super(...args); connections.push(this); }
  };
`;

/** What one track has brought: frames decoded, or sound energy. */
const RECEIVED = `(async () => {
  const received = { video: [], audio: [] };
  for (const connection of connections.filter((one) => one.connectionState === 'connected')) {
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type !== 'inbound-rtp') continue;
      received[entry.kind].push(entry.kind === 'video' ? entry.framesDecoded : entry.totalAudioEnergy);
    }
  }
  return received;
})()`;

interface Received {
  readonly video: readonly number[];
  readonly audio: readonly number[];
}

describe('npm run example:conference', () => {
  let stage: Stage;
  let server: PeerProcess;
  let browser: ChromiumPage;
  let port: number;
  const people: Page[] = [];

  beforeAll(async () => {
    stage = await Stage.open();
    const sound = stage.path('syllables.wav');
    await stage.run(ffmpegMake(['-f', 'lavfi', '-i', SYLLABLES], sound)).succeeded();
    const options = ['--port', '0', '--media-ip', '127.0.0.1', '--workers', '1'];
    const args = [join(ROOT, 'scripts/example.js'), 'conference', ...options];
    server = stage.run({ program: 'node', args, timeoutMs: 90_000 });
    const flags = [...FLAGS, `--use-file-for-fake-audio-capture=${sound}`];
    const [opened, match] = await Promise.all([ChromiumPage.open(flags), server.whenOutput(/open http:\S+:(\d+)\//)]);
    browser = opened;
    stage.own(() => browser.close());
    port = Number(match[1]);
  });

  afterAll(() => stage.close());

  async function enter(name: string, picture: 'Test picture' | 'Camera'): Promise<Page> {
    const page = await browser.page.context().browser()!.newPage();
    await page.addInitScript(KEEP_CONNECTIONS);
    await page.goto(`http://localhost:${port}/room/tea-time`);
    await page.getByLabel('Your name').fill(name);
    await page.getByLabel(picture).check();
    await page.getByRole('button', { name: 'Join' }).click();
    people.push(page);
    return page;
  }

  function tile(page: Page, name: string): ReturnType<Page['locator']> {
    return page.getByRole('article', { name, exact: true });
  }

  /** Waits until a page sees and hears so many others, more of them than now. */
  async function seesAndHears(page: Page, others: number): Promise<void> {
    const before = await page.evaluate<Received>(RECEIVED);
    await expect
      .poll(async () => {
        const { video, audio } = await page.evaluate<Received>(RECEIVED);
        return {
          seen: video.filter((frames, index) => frames > (before.video[index] ?? 0) + 3).length,
          heard: audio.filter((energy, index) => energy > (before.audio[index] ?? 0)).length,
        };
      }, PATIENCE)
      .toEqual({ seen: others, heard: others });
  }

  /** Somebody without a browser. */
  async function connect(room: string): Promise<WebSocket> {
    const webSocket = new WebSocket(`ws://localhost:${port}/signal?room=${room}`, {
      origin: `http://localhost:${port}`,
    });
    await once(webSocket, 'open');
    return webSocket;
  }

  async function ask(webSocket: WebSocket, method: string, data: object): Promise<unknown> {
    webSocket.send(JSON.stringify({ id: 1, method, data }));
    for await (const [text] of on(webSocket, 'message')) {
      const answer = JSON.parse(String(text)) as { id?: number };
      if (answer.id === 1) return answer;
    }
    throw new RangeError('no answer');
  }

  it('lets nobody have too much', async () => {
    const person = await connect('full');
    expect(await ask(person, 'openTransport', { direction: 'send' })).toMatchObject({
      error: { code: 'wrong-request' },
    });
    const others: WebSocket[] = [person];
    for (let i = 0; i < 12; i++) {
      if (i > 0) others.push(await connect('full'));
      expect(await ask(others[i]!, 'join', { name: `Nr. ${i}` })).toMatchObject({ data: { peers: { length: i } } });
    }
    const oneMore = await connect('full');
    expect(await ask(oneMore, 'join', { name: 'One more' })).toMatchObject({ error: { code: 'room-full' } });
    expect(await ask(person, 'consume', { producerId: 'x' })).toHaveProperty('error');

    const ends = [person, others[1]!, oneMore].map(async (webSocket) => (await once(webSocket, 'close'))[0] as number);
    for (let i = 0; i < 300; i++) person.send('{"id":2,"method":"join","data":{"name":"again"}}');
    others[1]!.send(JSON.stringify({ id: 1, method: 'join', data: { name: 'x'.repeat(70_000) } }));
    oneMore.send(JSON.stringify({ id: 1, method: 'join', data: { name: 'two\nlines' } }));
    expect(await Promise.all(ends)).toEqual([4002, 1009, 4002]);
    for (const webSocket of others) webSocket.terminate();
    await server.whenOutput(/room "full" closed/);
  });

  it('refuses pages of others, rooms without a name, and what is no request', async () => {
    const status = async (path: string, origin: string): Promise<unknown> => {
      const webSocket = new WebSocket(`ws://localhost:${port}${path}`, { origin });
      return new Promise((resolve) => {
        webSocket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
        webSocket.on('error', resolve);
        webSocket.on('open', () => webSocket.send('{"id":1,"method":"shutdown","data":{}}'));
        webSocket.on('close', (code) => resolve(code));
      });
    };
    const own = `http://localhost:${port}`;
    expect(await status('/signal?room=a', 'http://elsewhere.example')).toBe(403);
    expect(await status('/signal?room=../a', own)).toBe(400);
    expect(await status('/other?room=a', own)).toBe(404);
    expect(await status('/signal?room=a', own)).toBe(4002);
  });

  it('brings three people together, who see and hear each other', async () => {
    await enter('Ada', 'Test picture');
    await enter('Grace', 'Camera');
    await enter('Edsger', 'Test picture');
    for (const page of people) await seesAndHears(page, 2);
    const [ada] = people;
    await expect.poll(() => ada!.locator('#people').innerText()).toBe('3 people');
    // Simulcast: which of its sizes is sent.
    await expect.poll(() => tile(ada!, 'Grace').locator('.statistics').innerText(), PATIENCE).toMatch(/size \d\/3/);
    await expect.poll(() => ada!.locator('.tile.speaking').count(), PATIENCE).toBe(1);
  });

  it('says who is muted, and whose camera is off', async () => {
    const [ada, grace] = people;
    await ada!.getByRole('button', { name: 'Mute', exact: true }).click();
    await tile(grace!, 'Ada').getByText('muted').waitFor();
    await ada!.getByRole('button', { name: 'Unmute' }).click();
    await tile(grace!, 'Ada').getByText('muted').waitFor({ state: 'hidden' });
    await ada!.getByRole('button', { name: 'Camera off' }).click();
    await tile(grace!, 'Ada').locator('video').waitFor({ state: 'hidden' });
    await ada!.getByRole('button', { name: 'Camera on' }).click();
    await tile(grace!, 'Ada').locator('video').waitFor();
  });

  it('shows the screen somebody shares, until they stop', async () => {
    const [ada, grace] = people;
    await ada!.getByRole('button', { name: 'Share screen' }).click();
    const screen = tile(grace!, 'Screen of Ada');
    await expect.poll(() => screen.locator('.statistics').innerText(), PATIENCE).toMatch(/\d+×\d+ · [1-9]\d* kb\/s/);
    await ada!.getByRole('button', { name: 'Stop sharing' }).click();
    await screen.waitFor({ state: 'detached' });
  });

  it('carries what people write', async () => {
    const [ada, grace, edsger] = people;
    await grace!.getByRole('button', { name: 'Chat' }).click();
    await grace!.getByLabel('Your message').fill('Tea? <b>');
    await grace!.getByRole('button', { name: 'Send' }).click();
    for (const page of [ada!, edsger!]) await page.getByText('Grace wrote: Tea? <b>').waitFor();
  });

  it('brings them together again after their media worker was killed', async () => {
    expect(people).toHaveLength(3);
    const [, pid] = /media worker 1 is running \(process (\d+)\)/.exec(server.stdout)!;
    process.kill(Number(pid), 'SIGKILL');
    await server.whenOutput(/media worker 1 died/);
    for (const page of people) await page.locator('#people', { hasText: '3 people' }).waitFor();
    for (const page of people) await seesAndHears(page, 2);
  });

  it('takes away the picture of who leaves, and the room after the last one', async () => {
    const [ada, grace, edsger] = people;
    await edsger!.getByRole('button', { name: 'Leave' }).click();
    await edsger!.getByRole('button', { name: 'Join' }).waitFor();
    for (const page of [ada!, grace!]) await tile(page, 'Edsger').waitFor({ state: 'detached' });
    await ada!.close();
    await tile(grace!, 'Ada').waitFor({ state: 'detached' });
    await grace!.close();
    await server.whenOutput(/room "tea-time" closed\n(?!.*opened)/);
  });
});
