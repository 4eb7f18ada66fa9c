import { afterEach, describe, expect, it } from 'vitest';
import { ChildPeer } from '../peers/webrtc-child.ts';
import { connectPeer, exchangeData, exchangeMedia } from '../peers/webrtc-scene.ts';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const scenes = (['lite', 'full'] as const).flatMap((agent) =>
  (['udp', 'tcp'] as const).flatMap((transport) =>
    (['client', 'server'] as const).map((role) => ({ agent, transport, role })),
  ),
);

describe('libwebrtc', () => {
  it.each(scenes)('speaks with our $agent agent over $transport, we being the $role of DTLS', async (scene) => {
    const peer = new ChildPeer('./wrtc.ts');
    closers.push(() => peer.close());
    const offerer = scene.role === 'client' ? 'them' : 'us';
    const ours = await connectPeer(peer, { ...scene, offerer });
    closers.push(() => ours.close());
    expect(ours.selected?.protocol).toBe(scene.transport);
    await Promise.all([exchangeMedia({ ours, peer }, 20, 30), exchangeData({ ours, peer }, 5_000_000)]);
  });
});
