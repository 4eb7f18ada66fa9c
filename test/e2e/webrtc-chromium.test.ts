import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ChromiumPage } from '../peers/chromium.ts';
import { ChromiumPeer, FAKE_MEDIA_FLAGS } from '../peers/chromium-webrtc.ts';
import { connectPeer, exchangeData, exchangeMedia } from '../peers/webrtc-scene.ts';

let browser: ChromiumPage;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  browser = await ChromiumPage.open(FAKE_MEDIA_FLAGS);
  await browser.page.route('http://localhost/', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await browser.page.goto('http://localhost/');
});

afterAll(() => browser.close());

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const scenes = (['lite', 'full'] as const).flatMap((agent) =>
  (['udp', 'tcp'] as const).flatMap((transport) =>
    (['client', 'server'] as const).map((role) => ({ agent, transport, role })),
  ),
);

describe('Chromium', () => {
  it.each(scenes)('speaks with our $agent agent over $transport, we being the $role of DTLS', async (scene) => {
    const peer = await ChromiumPeer.open(browser);
    closers.push(() => peer.close());
    const offerer = scene.role === 'client' ? 'them' : 'us';
    const ours = await connectPeer(peer, { ...scene, offerer });
    closers.push(() => ours.close());
    expect(ours.selected?.protocol).toBe(scene.transport);
    await Promise.all([exchangeMedia({ ours, peer }, 20, 30), exchangeData({ ours, peer }, 5_000_000)]);
  });
});
