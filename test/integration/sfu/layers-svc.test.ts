/** Streams of Chromium with layers: whatever layers a viewer wants, what it gets can be decoded. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseVp8Descriptor, Vp8Descriptor } from '../../../src/protocol/rtp/layers/vp8-descriptor.ts';
import { depacketizerOf } from '../../../src/protocol/rtp/payload/payload-formats.ts';
import type { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import {
  FrameReader,
  type LayeredStream,
  type LayerScene,
  layerScene,
  readLayeredStream,
  vp9Stream,
} from './layers-kit.ts';

const RECORDED = [
  readLayeredStream('vp9-l2t3', 'video/VP9', 'L2T3'),
  readLayeredStream('vp9-l2t3_key', 'video/VP9', 'L2T3_KEY'),
  readLayeredStream('vp9-s2t3', 'video/VP9', 'S2T3'),
  readLayeredStream('av1-l2t3', 'video/AV1', 'L2T3'),
  readLayeredStream('av1-l2t3_key', 'video/AV1', 'L2T3_KEY'),
  readLayeredStream('av1-s2t3', 'video/AV1', 'S2T3'),
  readLayeredStream('h264-l1t3', 'video/H264', 'L1T3'),
];
const WRITTEN = [vp9Stream(3, 'always'), vp9Stream(3, 'key-pictures'), vp9Stream(3, 'never')];

/** What a decoder, or what feeds it, would stumble over. */
function expectDecodable(packets: readonly RtpPacketView[], { mimeType, scalabilityMode }: LayeredStream): void {
  const reader = new FrameReader(mimeType);
  let known = new Set<string>();
  for (const [i, view] of packets.entries()) {
    const after = packets[i + 1];
    // No gaps, and every picture ends with its marker and nowhere else.
    if (after !== undefined) {
      expect((after.sequenceNumber - view.sequenceNumber) & 0xffff).toBe(1);
      expect(view.marker).toBe(after.timestamp !== view.timestamp);
    }
    const { name, references, isKeyFrame } = reader.read(view);
    // Layers that need no others begin anew one by one.
    if (isKeyFrame && scalabilityMode.startsWith('L')) known = new Set();
    for (const reference of references) expect(known, `what ${name} refers to`).toContain(reference);
    known.add(name);
  }
}

/** Layers of what was sent from a packet on, the highest of each. */
function layersOf(packets: readonly RtpPacketView[], { mimeType }: LayeredStream, from: number): Set<string> {
  const reader = new FrameReader(mimeType);
  const facts = packets.map((view) => reader.read(view));
  return new Set(facts.slice(from).map(({ spatialLayer, temporalLayer }) => `${spatialLayer}.${temporalLayer}`));
}

function prefers(scene: LayerScene, name: string): void {
  const [spatialLayer, temporalLayer] = name.split('.').map(Number);
  scene.consumer.setPreferredLayers({ spatialLayer: spatialLayer!, temporalLayer: temporalLayer! });
}

describe.each([...RECORDED, ...WRITTEN])('$mimeType $scalabilityMode', (stream) => {
  const spatialLayers = Number(stream.scalabilityMode[1]);
  const names = Array.from({ length: spatialLayers * 3 }, (_, i) => `${Math.floor(i / 3)}.${i % 3}`);

  it('gives each viewer what it prefers, and no more than that takes', () => {
    const scene = layerScene(stream, true);
    scene.play(30);
    for (const name of [...names, ...names.toReversed()]) {
      prefers(scene, name);
      scene.play(15);
      expect(scene.world.eventsOf('c', 'layerschange').at(-1)).toEqual({
        spatialLayer: Number(name[0]),
        temporalLayer: Number(name[2]),
      });
      const before = scene.viewer.rtp.length;
      scene.play(24);
      const sent = layersOf(scene.viewer.rtp, stream, before);
      // Key pictures come with what is below.
      const others = [...sent].filter((one) => one[0] !== name[0]);
      expect(Math.max(...[...sent].map((one) => Number(one[2])))).toBe(Number(name[2]));
      if (stream.scalabilityMode.startsWith('S')) expect(others).toEqual([]);
      else if (stream.scalabilityMode.endsWith('_KEY')) expect(others.every((one) => one[2] === '0')).toBe(true);
      expect([...sent].every((one) => one[0]! <= name[0]!)).toBe(true);
    }
    expectDecodable(scene.viewer.rtp, stream);
  });

  it('can be decoded, whenever a viewer changes its mind', () => {
    const wish = fc.record({ name: fc.constantFrom(...names), pictures: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(fc.array(wish, { minLength: 1, maxLength: 12 }), (wishes) => {
        const scene = layerScene(stream, true);
        scene.play(30);
        for (const { name, pictures } of wishes) {
          prefers(scene, name);
          scene.play(pictures);
        }
        expect(scene.viewer.rtp.length).toBeGreaterThan(0);
        expectDecodable(scene.viewer.rtp, stream);
      }),
      { numRuns: 15 },
    );
  });
});

it('nobody waits for what was lost on its way to us, came late, and is of a layer the viewer does not have', () => {
  const stream = RECORDED[6]!;
  const scene = layerScene(stream, true);
  scene.play(30);
  prefers(scene, '0.0');
  scene.play(24);
  const [from, sent] = [scene.viewer.rtp.length, scene.sent.length];
  scene.loses = () => scene.sent.length % 3 === 0;
  scene.play(12);
  scene.loses = () => false;
  for (const view of scene.sent.slice(sent).filter((_, i) => (sent + i + 1) % 3 === 0)) scene.resend(view);
  scene.play(6);
  const packets = scene.viewer.rtp.slice(from);
  const before = scene.viewer.rtp[from - 1]!.sequenceNumber;
  const places = packets.map((view) => (view.sequenceNumber - before) & 0xffff).sort((a, b) => a - b);
  expect(places).toEqual(places.map((_, i) => i + 1));
  const reader = new FrameReader(stream.mimeType);
  const facts = scene.viewer.rtp.map((view) => reader.read(view)).slice(from);
  expect(packets.filter((view, i) => facts[i]!.temporalLayer > 0 && view.payloadBytes > 0)).toEqual([]);
  expect(packets.filter(({ payloadBytes }) => payloadBytes === 0).length).toBeGreaterThan(1);
});

describe('VP8 with temporal layers', () => {
  const stream = readLayeredStream('vp8-l1t3', 'video/VP8', 'L1T3');

  it('goes up where pictures need the base layer only, and counts pictures without gaps', () => {
    const wish = fc.record({ name: fc.constantFrom('0.0', '0.1', '0.2'), pictures: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(fc.array(wish, { minLength: 1, maxLength: 12 }), (wishes) => {
        const scene = layerScene(stream);
        scene.play(30);
        for (const { name, pictures } of wishes) {
          prefers(scene, name);
          scene.play(pictures);
        }
        expectDecodableVp8(scene);
      }),
      { numRuns: 30 },
    );
  });

  it.each(['0.0', '0.1', '0.2'])('gives layers up to %s', (name) => {
    const scene = layerScene(stream);
    scene.play(30);
    prefers(scene, name);
    scene.play(24);
    const before = scene.viewer.rtp.length;
    scene.play(24);
    const layers = scene.viewer.rtp.slice(before).map((view) => readVp8(view).temporalId);
    expect(Math.max(...layers)).toBe(Number(name[2]));
    expectDecodableVp8(scene);
  });
});

function readVp8({ bytes, payloadStart, payloadEnd }: RtpPacketView): Vp8Descriptor {
  const out = new Vp8Descriptor();
  expect(parseVp8Descriptor(bytes, payloadStart, payloadEnd, out)).toBe(true);
  return out;
}

/** Pictures that were sent by timestamp, and what of them came: each needs the newest before it of its layer or a lower one. */
function expectDecodableVp8({ sent, viewer }: LayerScene): void {
  const came = new Set(viewer.rtp.map(({ timestamp }) => timestamp));
  const newest = [-1, -1, -1];
  for (const [timestamp, view] of new Map(sent.map((one) => [one.timestamp, one]))) {
    const { temporalId, isLayerSync } = readVp8(view);
    const needed = isLayerSync || temporalId === 0 ? newest.slice(0, 1) : newest.slice(0, temporalId + 1);
    const isKey = sent.some((one) => one.timestamp === timestamp && readVp8(one).isKeyFrame);
    if (isKey) newest.fill(-1);
    else if (came.has(timestamp)) for (const one of needed) expect(one === -1 || came.has(one)).toBe(true);
    newest[temporalId] = timestamp;
  }
  for (const [i, view] of viewer.rtp.slice(1).entries()) {
    const before = viewer.rtp[i]!;
    const isSame = view.timestamp === before.timestamp;
    expect((view.sequenceNumber - before.sequenceNumber) & 0xffff).toBe(1);
    expect((readVp8(view).pictureId - readVp8(before).pictureId) & 0x7fff).toBe(isSame ? 0 : 1);
  }
}

describe('a stream whose upper layers need the lower ones in key pictures only', () => {
  it.each([WRITTEN[1]!, RECORDED[1]!, RECORDED[4]!])('costs a viewer one layer: $mimeType', (stream) => {
    const scene = layerScene(stream, true);
    scene.play(60);
    const before = scene.viewer.rtp.length;
    scene.play(60);
    const reader = new FrameReader(stream.mimeType);
    const facts = scene.viewer.rtp.map((view) => reader.read(view)).slice(before);
    const lower = facts.filter(({ spatialLayer }) => spatialLayer < Number(stream.scalabilityMode[1]) - 1);
    expect(lower.length).toBeGreaterThan(0);
    expect(lower.every(({ temporalLayer, references }) => temporalLayer === 0 && references.length <= 1)).toBe(true);
    expect(lower.length).toBeLessThan(facts.length / 3);
  });

  it('asks for a key frame to go down as well as up', () => {
    const scene = layerScene(WRITTEN[1]!);
    scene.play(30);
    for (const name of ['0.2', '2.2', '1.2']) {
      const asked = scene.asked();
      prefers(scene, name);
      scene.play(1);
      expect(scene.asked()).toBe(asked + 1);
      // The key picture that was asked for: nobody asks again.
      scene.play(12);
      expect(scene.asked()).toBe(asked + 1);
    }
  });

  it('is asked for a key frame when it stops the layer that is sent', () => {
    const stream = WRITTEN[1]!;
    const scene = layerScene(stream);
    scene.play(30);
    const asked = scene.asked();
    scene.loses = (view) => ((view.bytes[view.payloadStart + 3]! >>> 1) & 7) === 2;
    scene.play(4);
    expect(scene.asked()).toBeGreaterThan(asked);
  });
});

it('goes down without a key frame where the layers below were sent anyway', () => {
  const scene = layerScene(WRITTEN[0]!);
  scene.play(30);
  const asked = scene.asked();
  prefers(scene, '0.2');
  scene.play(1);
  expect(scene.world.eventsOf('c', 'layerschange').at(-1)).toEqual({ spatialLayer: 0, temporalLayer: 2 });
  expect(scene.asked()).toBe(asked);
});

describe('what is left of pictures of Chromium is decoded by ffmpeg', () => {
  const decoded = RECORDED.flatMap((stream) => {
    const isOneLayer = stream.scalabilityMode.startsWith('L1');
    return (isOneLayer ? ['0.0', '0.2'] : ['0.0', '0.2', '1.0', '1.2']).map((name) => ({ stream, name, ...stream }));
  });

  it.each(decoded)('$mimeType $scalabilityMode in layer $name', ({ stream, name }) => {
    const scene = layerScene(stream, true);
    prefers(scene, name);
    scene.play(60);
    const reader = new FrameReader(stream.mimeType);
    const pictures = new Map<number, number>();
    for (const view of scene.viewer.rtp) {
      const { spatialLayer } = reader.read(view);
      pictures.set(view.timestamp, Math.max(spatialLayer, pictures.get(view.timestamp) ?? 0));
    }
    const expected = [...pictures.values()].filter((spatialLayer) => spatialLayer === Number(name[0])).length;
    expect(expected).toBeGreaterThan(10);
    const frames = decode(stream.mimeType, scene.viewer.rtp);
    const width = stream.scalabilityMode.startsWith('L1') ? 320 : WIDTHS[Number(name[0])]!;
    // Lower layers of a picture are shown by some decoders before it.
    expect(frames.filter((one) => one === width)).toHaveLength(expected);
    expect(Math.max(...frames)).toBe(width);
  });
});

/** Of the spatial layers that were recorded. */
const WIDTHS = [240, 480];

/** Widths of the pictures that ffmpeg sees, none of them broken. */
function decode(mimeType: string, packets: readonly RtpPacketView[]): number[] {
  const encodingName = mimeType.slice('video/'.length);
  const depacketizer = depacketizerOf({ payloadType: 96, encodingName, clockRate: 90_000, parameters: new Map() })!;
  const units: Uint8Array[] = [];
  for (const view of packets) {
    const payload = view.bytes.subarray(view.payloadStart, view.payloadEnd);
    const { timestamp, marker } = view;
    for (const unit of depacketizer.receive({ payload, timestamp, marker, afterLoss: false })) units.push(unit.payload);
  }
  expect(depacketizer.dropped).toBe(0);
  const isH264 = encodingName === 'H264';
  const input = isH264 ? Buffer.concat(units.map(toAnnexB)) : ivf(encodingName === 'VP9' ? 'VP90' : 'AV01', units);
  const shown = ['-show_frames', '-show_entries', 'frame=width', '-of', 'csv=p=0'];
  const args = ['-v', 'error', ...shown, '-f', isH264 ? 'h264' : 'ivf', 'pipe:0'];
  const { stdout, stderr } = spawnSync('ffprobe', args, { input });
  expect(stderr.toString()).toBe('');
  return stdout.toString().trim().split('\n').map(Number.parseFloat);
}

/** NAL units behind start codes, from those behind four bytes of length. */
function toAnnexB(unit: Uint8Array): Buffer {
  const bytes = Buffer.from(unit);
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    bytes.writeUInt32BE(1, at);
    at = end;
  }
  return bytes;
}

function ivf(fourCc: string, units: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(32);
  header.write(`DKIF\0\0 \0${fourCc}`, 'latin1');
  header.writeUInt32LE(90_000, 16);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(units.length, 24);
  const chunks: Uint8Array[] = [header];
  for (const [i, unit] of units.entries()) {
    const head = Buffer.alloc(12);
    head.writeUInt32LE(unit.length, 0);
    head.writeUInt32LE(i * 9000, 4);
    chunks.push(head, unit);
  }
  return Buffer.concat(chunks);
}
