/** Streams with layers as Chromium sends them, and what a decoder needs of what is left of them. */
import { readFileSync } from 'node:fs';
import {
  DependencyDescriptor,
  DependencyDescriptorReader,
} from '../../../src/protocol/rtp/extensions/dependency-descriptor.ts';
import { HEADER_EXTENSION_URI } from '../../../src/protocol/rtp/extensions/header-extension-uris.ts';
import { rewritePictureNumbers } from '../../../src/protocol/rtp/layers/picture-id-rewrite.ts';
import { parseVp8Descriptor, Vp8Descriptor } from '../../../src/protocol/rtp/layers/vp8-descriptor.ts';
import { parseVp9LayerDescriptor, Vp9LayerDescriptor } from '../../../src/protocol/rtp/layers/vp9-layer-descriptor.ts';
import { rtpPacketSize, writeRtpPacket } from '../../../src/protocol/rtp/rtp-packet.ts';
import { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import type { Consumer } from '../../../src/sfu/consumers/consumer.ts';
import type { RtpMapping, RtpParameters } from '../../../src/sfu/transports/rtp-parameters.ts';
import { connectedPair, type RtpPeer, type VirtualWorld } from './sfu-kit.ts';

const DEPENDENCY_ID = 7;
const SSRC = 1000;
const PAYLOAD_TYPE = 96;
const PICTURE_MS = 100;

/** The packets of a picture. */
export type Picture = readonly Uint8Array[];

/** A stream that begins with a key picture, to be sent again and again. */
export interface LayeredStream {
  readonly mimeType: string;
  readonly scalabilityMode: string;
  readonly pictures: readonly Picture[];
}

/** What a packet of some codec says of itself; parsed apart from what is tested. */
export interface FrameFacts {
  readonly spatialLayer: number;
  readonly temporalLayer: number;
  /** Numbers of frames before it that it refers to, within its stream; undefined when the packet does not say. */
  readonly references: readonly string[];
  /** Its own number, by which others refer to it. */
  readonly name: string;
  readonly isKeyFrame: boolean;
}

/** Reads a stream out of the fixtures: two bytes of length, big-endian, before each packet. */
export function readLayeredStream(file: string, mimeType: string, scalabilityMode: string): LayeredStream {
  const data = readFileSync(new URL(`../../fixtures/rtp-layers/${file}.rtp`, import.meta.url));
  const pictures: Uint8Array[][] = [];
  let last = -1;
  for (let at = 0; at < data.length; ) {
    const end = at + 2 + data.readUInt16BE(at);
    const view = viewOf(new Uint8Array(data.subarray(at + 2, end)));
    view.ssrc = SSRC;
    view.payloadType = PAYLOAD_TYPE;
    if (view.timestamp !== last) pictures.push([]);
    last = view.timestamp;
    pictures.at(-1)!.push(view.bytes);
    at = end;
  }
  return { mimeType, scalabilityMode, pictures };
}

/** How `vp9Stream` predicts upper spatial layers from lower ones. */
export type LayerPrediction = 'always' | 'key-pictures' | 'never';

/** VP9 in flexible mode without a picture inside, by RFC 9628 §4.2: one period of three temporal layers, twice. */
export function vp9Stream(spatialLayers: number, prediction: LayerPrediction): LayeredStream {
  const mode = {
    always: `L${spatialLayers}T3`,
    'key-pictures': `L${spatialLayers}T3_KEY`,
    never: `S${spatialLayers}T3`,
  };
  const pictures: Uint8Array[][] = [];
  for (let picture = 0; picture < 8; picture++) {
    const temporalLayer = [0, 2, 1, 2][picture % 4]!;
    const difference = [4, 1, 2, 1][picture % 4]!;
    const isKey = picture === 0;
    const packets: Uint8Array[] = [];
    for (let spatialLayer = 0; spatialLayer < spatialLayers; spatialLayer++) {
      const hasPrediction = prediction === 'always' || (prediction === 'key-pictures' && isKey);
      const needsLower = spatialLayer > 0 && hasPrediction;
      const isTop = spatialLayer === spatialLayers - 1;
      for (const part of ['start', 'end'] as const) {
        const flags =
          0x80 |
          (isKey ? 0 : 0x40) |
          0x20 |
          0x10 |
          (part === 'start' ? 0x08 : 0x04) |
          (isKey && part === 'start' && !needsLower ? 0x02 : 0) |
          (hasPrediction && !isTop ? 0 : 0x01);
        const payload = [
          flags,
          0x80,
          picture,
          (temporalLayer << 5) | 0x10 | (spatialLayer << 1) | (needsLower ? 1 : 0),
        ];
        if (!isKey) payload.push(difference << 1);
        if (isKey && part === 'start' && !needsLower) payload.push((spatialLayers - 1) << 5);
        packets.push(
          packetOf({
            payload: Uint8Array.from([...payload, ...new Uint8Array(20)]),
            marker: isTop && part === 'end',
            timestamp: picture * 9000,
          }),
        );
      }
    }
    pictures.push(packets);
  }
  let sequenceNumber = 0;
  for (const bytes of pictures.flat()) viewOf(bytes).sequenceNumber = sequenceNumber++;
  return { mimeType: 'video/VP9', scalabilityMode: mode[prediction], pictures };
}

function packetOf(fields: { payload: Uint8Array; marker: boolean; timestamp: number }): Uint8Array {
  const all = { ...fields, payloadType: PAYLOAD_TYPE, sequenceNumber: 0, ssrc: SSRC };
  const bytes = new Uint8Array(rtpPacketSize(all));
  writeRtpPacket(all, bytes);
  return bytes;
}

/** A view of a whole packet. */
export function viewOf(bytes: Uint8Array): RtpPacketView {
  const view = new RtpPacketView();
  if (!view.look(bytes)) throw new RangeError('no packet');
  return view;
}

/** A sender of a stream, a router, and a viewer. */
export interface LayerScene {
  readonly world: VirtualWorld;
  readonly viewer: RtpPeer;
  readonly consumer: Consumer;
  /** How often the sender was asked for a key frame. */
  readonly asked: () => number;
  /** What was sent, whether it got lost or not. */
  readonly sent: RtpPacketView[];
  /** Sends so many pictures, 100 ms each; the stream begins anew at its end, and when a key frame was asked for. */
  readonly play: (pictures: number) => void;
  /** Sends a packet once more, as it was. */
  readonly resend: (packet: RtpPacketView) => void;
  /** Packets that get lost on their way to the router. */
  loses: (packet: RtpPacketView) => boolean;
}

/** @param hasDescriptors whether the viewer agreed on the dependency descriptor */
export function layerScene(stream: LayeredStream, hasDescriptors = false): LayerScene {
  const { mimeType, scalabilityMode } = stream;
  const { world, sender, from, viewer, to } = connectedPair();
  const rtcpFeedback = [
    { type: 'nack', parameter: '' },
    { type: 'nack', parameter: 'pli' },
  ];
  const descriptor = { uri: HEADER_EXTENSION_URI.dependencyDescriptor, id: DEPENDENCY_ID };
  const codec = { mimeType, payloadType: PAYLOAD_TYPE, clockRate: 90_000, rtcpFeedback };
  const rtpParameters: RtpParameters = {
    codecs: [codec],
    headerExtensions: [descriptor],
    encodings: [{ ssrc: SSRC, scalabilityMode }],
  };
  const rtpMapping: RtpMapping = {
    codecs: [{ payloadType: PAYLOAD_TYPE, mappedPayloadType: PAYLOAD_TYPE }],
    encodings: [{ ssrc: SSRC, mappedSsrc: 5000 }],
  };
  const producer = from.produce({ id: 'p', kind: 'video', rtpParameters, rtpMapping });
  const consumer = to.consume('p', {
    id: 'c',
    kind: 'video',
    type: producer.type,
    rtpParameters: {
      codecs: [codec],
      headerExtensions: hasDescriptors ? [descriptor] : [],
      encodings: [{ ssrc: 7000, scalabilityMode }],
    },
    consumableRtpEncodings: [{ ssrc: 5000, scalabilityMode }],
  });
  let asked = 0;
  let isWanted = false;
  sender.onRtcp = (packet) => {
    if (packet.type !== 'payload-feedback') return;
    asked++;
    isWanted = true;
  };
  let next = 0;
  let sequenceNumber = 65_500;
  let picture = 120;
  const scene: LayerScene = {
    world,
    viewer,
    consumer,
    asked: () => asked,
    sent: [],
    resend: (packet) => sender.send(packet.bytes.slice()),
    loses: () => false,
    play: (count) => {
      for (let i = 0; i < count; i++) {
        if (isWanted || next === stream.pictures.length) next = 0;
        isWanted = false;
        for (const bytes of stream.pictures[next]!) {
          const view = viewOf(bytes.slice());
          view.sequenceNumber = sequenceNumber++ & 0xffff;
          view.timestamp = (world.nowMs * 90) >>> 0;
          renumber(view, mimeType, picture);
          scene.sent.push(view);
          if (!scene.loses(view)) sender.send(view.bytes.slice());
        }
        next++;
        picture++;
        world.run(PICTURE_MS);
      }
    },
  };
  return scene;
}

/** A stream that begins anew counts its pictures on. */
function renumber({ bytes, payloadStart, payloadEnd }: RtpPacketView, mimeType: string, pictureId: number): void {
  const replacement = { pictureId: pictureId & 0x7fff, tl0PictureIndex: 0 };
  if (mimeType === 'video/VP9') {
    const descriptor = new Vp9LayerDescriptor();
    parseVp9LayerDescriptor(bytes, payloadStart, payloadEnd, descriptor);
    rewritePictureNumbers(bytes, 0, descriptor, replacement);
  } else if (mimeType === 'video/VP8') {
    const descriptor = new Vp8Descriptor();
    parseVp8Descriptor(bytes, payloadStart, payloadEnd, descriptor);
    const { tl0PictureIndex } = descriptor;
    rewritePictureNumbers(bytes, 0, descriptor, { ...replacement, tl0PictureIndex });
  }
}

/** Reads what packets say of their frames: of VP9 by its payload, of others by the dependency descriptor. */
export class FrameReader {
  readonly #mimeType: string;
  readonly #reader = new DependencyDescriptorReader();

  constructor(mimeType: string) {
    this.#mimeType = mimeType;
  }

  read(view: RtpPacketView): FrameFacts {
    return this.#mimeType === 'video/VP9' ? readVp9(view) : this.#readDescriptor(view);
  }

  #readDescriptor(view: RtpPacketView): FrameFacts {
    const descriptor = new DependencyDescriptor();
    const at = view.findElement(DEPENDENCY_ID);
    if (at < 0 || !this.#reader.read(view.bytes, at, view.elementBytes, descriptor))
      throw new RangeError('no descriptor');
    const { frameNumber, spatialId, temporalId, frameDiffCount, hasStructure } = descriptor;
    return {
      spatialLayer: spatialId,
      temporalLayer: temporalId,
      name: String(frameNumber),
      references: Array.from(descriptor.frameDiffs.subarray(0, frameDiffCount), (diff) =>
        String((frameNumber - diff) & 0xffff),
      ),
      isKeyFrame: hasStructure && descriptor.isFrameStart && frameDiffCount === 0 && spatialId === 0,
    };
  }
}

function readVp9({ bytes, payloadStart, payloadEnd }: RtpPacketView): FrameFacts {
  const out = new Vp9LayerDescriptor();
  if (!parseVp9LayerDescriptor(bytes, payloadStart, payloadEnd, out)) throw new RangeError('no VP9');
  const { spatialId, temporalId, pictureId } = out;
  const references: string[] = out.isInterLayerPredicted ? [`${spatialId - 1}/${pictureId}`] : [];
  // Flags, a picture id of two bytes, layers.
  let at = payloadStart + 4;
  for (let hasMore = out.isInterPicturePredicted; hasMore; at++) {
    references.push(`${spatialId}/${(pictureId - (bytes[at]! >>> 1)) & 0x7fff}`);
    hasMore = (bytes[at]! & 1) !== 0;
  }
  return {
    spatialLayer: spatialId,
    temporalLayer: temporalId,
    name: `${spatialId}/${pictureId}`,
    references,
    isKeyFrame: out.isKeyFrame,
  };
}
