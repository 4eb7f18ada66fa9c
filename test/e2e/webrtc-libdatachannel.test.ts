/**
 * libdatachannel and our side. Over ICE-TCP its libjuice lets threads write frames into each other, after which nobody can
 * read on: there it is given little to do at a time, and a second try.
 */
import { describe, expect, it, type TestContext } from 'vitest';
import type { SrtpProfileName } from '../../src/protocol/srtp/srtp-profile.ts';
import { ChildPeer } from '../peers/webrtc-child.ts';
import {
  type Connected,
  connectPeer,
  endConnection,
  exchangeData,
  exchangeMedia,
  exchangeSmallMessages,
  type SceneOptions,
  WEBRTC_SCENES,
} from '../peers/webrtc-scene.ts';

/** Connects a peer of its own; tests run beside each other, so each says when it is over. */
async function connect({ onTestFinished }: TestContext, options: SceneOptions): Promise<Connected> {
  const peer = new ChildPeer(new URL('../peers/node-datachannel.ts', import.meta.url));
  onTestFinished(() => peer.close());
  const ours = await connectPeer(peer, options);
  onTestFinished(() => ours.close());
  return { ours, peer };
}

const SECOND_TRY = { retry: 3 } as const;

const udpScenes = WEBRTC_SCENES.filter(({ transport }) => transport === 'udp');
const tcpScenes = WEBRTC_SCENES.filter(({ transport }) => transport === 'tcp');

describe.concurrent('libdatachannel', () => {
  it.for(udpScenes)(
    'gets media and 10 MB of data back from our $agent agent over UDP, we being the $role of DTLS',
    async (scene, context) => {
      const connected = await connect(context, scene);
      expect(connected.ours.selected?.protocol).toBe('udp');
      await Promise.all([exchangeMedia(connected, 200, 50), exchangeData(connected, 5_000_000)]);
    },
  );

  it.for(tcpScenes)(
    'gets media back from our $agent agent over TCP, we being the $role of DTLS',
    SECOND_TRY,
    async (scene, context) => {
      const connected = await connect(context, scene);
      expect(connected.ours.selected?.protocol).toBe('tcp');
      await exchangeMedia(connected, 200, 50);
    },
  );

  it.for(tcpScenes)(
    'gets data back from our $agent agent over TCP, we being the $role of DTLS',
    SECOND_TRY,
    async (scene, context) => {
      const connected = await connect(context, { ...scene, dataOnly: true });
      await exchangeSmallMessages(connected, 5);
    },
  );

  const profiles: readonly SrtpProfileName[] = ['AEAD_AES_256_GCM', 'AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'];
  it.for(profiles.flatMap((profile) => udpScenes.slice(0, 2).map((scene) => ({ profile, scene }))))(
    'protects media with $profile, we being the $scene.role of DTLS',
    async ({ profile, scene }, context) => {
      const connected = await connect(context, { ...scene, srtpProfiles: [profile] });
      expect(connected.ours.session.secure.srtpProfile?.name).toBe(profile);
      await exchangeMedia(connected, 50, 10);
    },
  );

  it.for(['us', 'them'] as const)('knows when the connection is closed by %s', async (by, context) => {
    await endConnection(await connect(context, { ...udpScenes[0]!, dataOnly: true }), by);
  });
});
