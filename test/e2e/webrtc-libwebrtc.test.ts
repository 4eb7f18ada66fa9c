/** libwebrtc (of @roamhq/wrtc) and our side: it offers AES_CM alone, and no H.264. */
import { describe, expect, it, type TestContext, vi } from 'vitest';
import { ChildPeer } from '../peers/webrtc-child.ts';
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

/** Connects a peer of its own; tests run beside each other, so each says when it is over. */
async function connect({ onTestFinished }: TestContext, options: SceneOptions): Promise<Connected> {
  const peer = new ChildPeer(new URL('../peers/wrtc.ts', import.meta.url));
  onTestFinished(() => peer.close());
  const ours = await connectPeer(peer, options);
  onTestFinished(() => ours.close());
  return { ours, peer };
}

describe.concurrent('libwebrtc', () => {
  it.for(WEBRTC_SCENES)(
    'shows what comes back from our $agent agent over $transport, and 10 MB of data, we being the $role of DTLS',
    async (scene, context) => {
      const connected = await connect(context, scene);
      expect(connected.ours.selected?.protocol).toBe(scene.transport);
      expect(connected.ours.session.secure.srtpProfile?.name).toBe('AES_CM_128_HMAC_SHA1_80');
      await Promise.all([exchangeMedia(connected, 20, 30), exchangeData(connected, 5_000_000)]);
    },
  );

  it('is gone for our side as soon as it is killed, over TCP', async (context) => {
    const { ours, peer } = await connect(context, { ...WEBRTC_SCENES[2]!, dataOnly: true });
    await peer.close();
    await expect.poll(() => ours.iceStates.at(-1)).toBe('disconnected');
  });

  const [first, , , , last] = WEBRTC_SCENES;
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
