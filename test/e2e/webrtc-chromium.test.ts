/** Chromium and our side, with its fake camera and microphone. */
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from 'vitest';
import type { SrtpProfileName } from '../../src/protocol/srtp/srtp-profile.ts';
import { ChromiumPage } from '../peers/chromium.ts';
import { ChromiumPeer, FAKE_MEDIA_FLAGS } from '../peers/chromium-webrtc.ts';
import {
  type Connected,
  connectPeer,
  endConnection,
  exchangeData,
  exchangeMedia,
  restartIce,
  type SceneOptions,
  WEBRTC_SCENES,
} from '../peers/webrtc-scene.ts';

/** A page that may use a camera: of the loopback, and nobody answers for it but the test. */
const PAGE_URL = 'http://localhost/';

let browser: ChromiumPage;

beforeAll(async () => {
  browser = await ChromiumPage.open(FAKE_MEDIA_FLAGS);
  const page = { contentType: 'text/html', body: '<!doctype html>' };
  await browser.page.route(PAGE_URL, (route) => route.fulfill(page));
  await browser.page.goto(PAGE_URL);
});

afterAll(() => browser.close());

/** Connects a peer of its own; tests run beside each other, so each says when it is over. */
async function connect({ onTestFinished }: TestContext, options: SceneOptions): Promise<Connected> {
  const peer = await ChromiumPeer.open(browser);
  onTestFinished(() => peer.close());
  const ours = await connectPeer(peer, options);
  onTestFinished(() => ours.close());
  return { ours, peer };
}

const [first, second, , , last] = WEBRTC_SCENES;

// One after another: a browser that encodes several pictures at once starves its own connections.
describe('Chromium', () => {
  it.for(WEBRTC_SCENES)(
    'shows what comes back from our $agent agent over $transport, and 10 MB of data, we being the $role of DTLS',
    async (scene, context) => {
      const connected = await connect(context, scene);
      expect(connected.ours.selected?.protocol).toBe(scene.transport);
      await Promise.all([exchangeMedia(connected, 20, 30), exchangeData(connected, 5_000_000)]);
    },
  );

  it('decodes its H.264', async (context) => {
    const codecs = { audio: 'opus/48000/2', video: 'H264/90000' };
    await exchangeMedia(await connect(context, { ...first!, codecs }), 20, 10);
  });

  const profiles: readonly SrtpProfileName[] = ['AEAD_AES_256_GCM', 'AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'];
  it.for(profiles.flatMap((profile) => [first!, second!].map((scene) => ({ profile, scene }))))(
    'protects media with $profile, we being the $scene.role of DTLS',
    async ({ profile, scene }, context) => {
      const connected = await connect(context, { ...scene, srtpProfiles: [profile] });
      expect(connected.ours.session.secure.srtpProfile?.name).toBe(profile);
      await exchangeMedia(connected, 5, 10);
    },
  );

  it.for([
    { scene: first!, by: 'us' as const },
    { scene: last!, by: 'them' as const },
  ])(
    'restarts ICE with our $scene.agent agent, then the connection is closed by $by',
    async ({ scene, by }, context) => {
      const connected = await connect(context, { ...scene, dataOnly: true });
      await restartIce(connected);
      await endConnection(connected, by);
      // Channels may end a moment before.
      await vi.waitFor(() => expect(connected.ours.dtlsStates).toEqual(['connecting', 'connected', 'closed']));
    },
  );
});
