import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AmfValue } from '../../src/protocol/amf/amf-value.ts';
import { writeAmf0Values } from '../../src/protocol/amf/amf0-writer.ts';
import { HostilePeer } from './robustness/hostile-peer.ts';
import { afterHandshake, c0c1, command, concat, connectCommand } from './robustness/hostile-rtmp.ts';
import { LocalServer } from './robustness/local-server.ts';
import { SeededRandom } from './robustness/seeded-random.ts';
import { until } from './robustness/until.ts';

/** A command on a message stream. */
function say(messageStreamId: number, ...values: readonly AmfValue[]): Uint8Array {
  return command(writeAmf0Values(values), messageStreamId);
}

const CREATE = say(0, 'createStream', 2, null);
const PUBLISH = (id: number): Uint8Array => say(id, 'publish', 3, null, 'own', 'live');
const PLAY = (id: number): Uint8Array => say(id, 'play', 4, null, 'own');
const DELETE = (id: number): Uint8Array => say(0, 'deleteStream', 0, null, id);
const CLOSE = (id: number): Uint8Array => say(id, 'closeStream', 0, null);
const PAUSE = (id: number): Uint8Array => say(id, 'pause', 0, null, true, 0);
const RECEIVE = (id: number, isWanted: boolean): Uint8Array => say(id, 'receiveVideo', 0, null, isWanted);

/** Commands that come in one packet, so that the client is further on than the server that answers them. */
const HASTY: readonly (readonly [string, readonly Uint8Array[]])[] = [
  ['play and leave', [CREATE, PLAY(1), DELETE(1)]],
  ['publish and leave', [CREATE, PUBLISH(1), DELETE(1)]],
  ['publish, leave and publish again', [CREATE, PUBLISH(1), CLOSE(1), PUBLISH(1), CLOSE(1)]],
  ['play twice and leave', [CREATE, PLAY(1), PLAY(1), CLOSE(1)]],
  ['play, pause and leave', [CREATE, PLAY(1), PAUSE(1), DELETE(1)]],
  ['play, switch tracks and leave', [CREATE, PLAY(1), RECEIVE(1, false), RECEIVE(1, true), DELETE(1)]],
  ['publish, play it and leave both', [CREATE, CREATE, PUBLISH(1), PLAY(2), DELETE(1), DELETE(2)]],
  ['publish twice under one name', [CREATE, CREATE, PUBLISH(1), PUBLISH(2), DELETE(1), DELETE(2)]],
  ['play on a stream that is not there', [PLAY(7), PAUSE(7), DELETE(7), DELETE(7)]],
];

let server: LocalServer;
const peers: HostilePeer[] = [];

beforeEach(async () => {
  server = await LocalServer.start({ latency: 'realtime', publish: { grace: 0 }, rtmp: { handshake_timeout: 1 } });
});

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await server.close();
});

function speak(...parts: readonly Uint8Array[]): HostilePeer {
  const peer = new HostilePeer({ port: server.rtmpPort, send: concat(...parts) });
  peers.push(peer);
  return peer;
}

async function expectNothingLeft(): Promise<void> {
  for (const peer of peers) peer.close();
  await until('the connections are closed', () => server.millrace.counters.rtmp?.connections === 0);
  expect(server.millrace.counters.rtmp?.failed.get('rtmp/internal')).toBeUndefined();
  const streams = server.millrace.hub.list();
  expect(streams.map(({ viewers, publisher }) => ({ viewers, publisher }))).toEqual(
    streams.map(() => ({ viewers: 0, publisher: undefined })),
  );
}

describe('a client that does not wait for answers', () => {
  it.each(HASTY)('may %s in the packet of its connect', async (_name, commands) => {
    const peer = speak(afterHandshake(connectCommand(), ...commands));
    await until('it is answered', () => peer.received > 3073);
    await expectNothingLeft();
  });

  it.each(HASTY)('may %s in a packet after its connect', async (_name, commands) => {
    const peer = speak(c0c1());
    await until('the handshake is answered', () => peer.received >= 3073);
    peer.socket.write(concat(new Uint8Array(1536), connectCommand()));
    await until('connect is answered', () => peer.received > 3400);
    const received = peer.received;
    peer.socket.write(concat(...commands, say(0, 'getStreamLength', 99, null)));
    await until('the last command is answered', () => peer.received > received);
    await expectNothingLeft();
  });

  it('may send any commands in any order', async () => {
    const random = new SeededRandom(31_337);
    for (let round = 0; round < 150; round++) {
      const commands: Uint8Array[] = [];
      for (let i = random.below(25); i >= 0; i--) {
        const id = random.below(4);
        const makers = [() => CREATE, PUBLISH, PLAY, DELETE, CLOSE, PAUSE, (of: number) => RECEIVE(of, i % 2 === 0)];
        commands.push(random.pick(makers)(id));
      }
      speak(afterHandshake(connectCommand(), ...commands));
    }
    await until('all were heard', () => peers.every((peer) => peer.received > 3073 || peer.closed));
    await expectNothingLeft();
  });
});
