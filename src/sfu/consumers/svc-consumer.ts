import { type LayerLadder, type Layers, layerBitrates } from '../layers/layer-ladder.ts';
import { svcLadder } from '../layers/svc-ladder.ts';
import type { ProducerPacket } from '../producer-packet.ts';
import type { ProducerPayload } from '../producer-payload.ts';
import type { ProducerStream } from '../producer-stream.ts';
import { readScalabilityMode } from '../transports/rtp-parameters.ts';
import { LayeredConsumer } from './layered-consumer.ts';

/** After so many pictures without the layer that is sent, a layer below it is looked for. */
const MAX_MISSED_PICTURES = 3;

/**
 * One stream with layers, without those there is no bandwidth for.
 *
 * Where upper spatial layers need the lower ones in key pictures only (K-SVC), or never, a viewer of an upper one does not
 * get the lower ones of other pictures, and can go down with a key picture only.
 */
export class SvcConsumer extends LayeredConsumer {
  readonly #hasSpatialLayers = this.spatialLayers > 1;
  /** Spatial layers that can be decoded, a bit each: nothing is missing since a frame that needs none before it. */
  #whole = 0;
  #hasTopFrame = false;
  #missedPictures = 0;
  /** Of the picture in whose middle an upper layer was begun with; −1 when that is not so. */
  #splitTimestamp = -1;

  takePacket(packet: ProducerPacket, stream: ProducerStream, nowMs: number): void {
    const { target } = this;
    if (!this.isActive || target === undefined) return;
    const { view } = packet;
    const { payload } = stream;
    const { sequenceNumber } = view;
    const payloadType = this.payloadTypeOf(packet);
    const isNew = !this.output.isOf(stream);
    if (this.current === undefined || isNew) {
      if (!payload.isKeyFrame || payloadType < 0) return;
      if (isNew) this.output.follow(stream, view.timestamp, nowMs);
      this.syncNumbers(sequenceNumber, payload);
      this.#whole = 0;
      this.#startWith(payload, target);
    } else if (payload.isKeyFrame && !payload.isLate) {
      this.#startWith(payload, target);
    } else {
      const { spatialLayer } = this.current;
      this.#goOn(payload, this.current, target);
      if (this.current.spatialLayer > spatialLayer) this.#splitTimestamp = view.timestamp;
    }
    if (payload.isPictureStart) this.#pictureBegins(nowMs);
    const current = this.current!;
    const timestamp = this.output.timestampOf(view.timestamp);
    const isPart = payload.spatialLayer <= current.spatialLayer && payload.isNeededBy(current);
    if (!payload.isLate) this.#note(payload, isPart, current.spatialLayer);
    if (payloadType < 0 || !isPart || payload.temporalLayer > current.temporalLayer) {
      this.drop(packet, payload, timestamp, payloadType, nowMs);
      return;
    }
    const number = this.output.numbers.rewrite(sequenceNumber);
    if (number < 0) return;
    // With the layers above left out, the picture ends here.
    const isTop = payload.spatialLayer === current.spatialLayer && this.#hasSpatialLayers;
    const marker = view.marker || (isTop && payload.isFrameEnd);
    // To the viewer a picture has ended when the layer it had ends: what is above it is another one, right behind it.
    const isSplit = isTop && view.timestamp === this.#splitTimestamp;
    const sentTimestamp = isSplit ? (timestamp + 1) >>> 0 : timestamp;
    const picture = this.pictureNumbers(payload);
    this.output.send(packet, stream, number, sentTimestamp, marker, payloadType, nowMs, picture);
  }

  requestKeyFrame(): void {
    const stream = this.streamOf(0);
    if (stream !== undefined) this.producer.requestKeyFrame(stream);
  }

  protected currentSource(): ProducerStream | undefined {
    return this.streamOf(0);
  }

  protected targetChanged(): void {
    const { current, target } = this;
    if (target === undefined || target.spatialLayer === current?.spatialLayer) return;
    if (current === undefined || !this.#isWhole(target.spatialLayer)) this.requestKeyFrame();
  }

  protected ladder(preferred: Layers, nowMs: number): LayerLadder {
    const stream = this.streamOf(0);
    if (stream === undefined) return [];
    const { received, params } = stream;
    const { dependency } = readScalabilityMode(this.consumableRtpEncodings[0]?.scalabilityMode);
    const bitratesBps = layerBitrates(received.rate, nowMs, params, dependency);
    return svcLadder({ score: received.score, bitratesBps }, preferred);
  }

  /** With a key picture all layers that it has can be taken. */
  #startWith({ keyPictureLayers, isKeyOfLowerLayers }: ProducerPayload, target: Layers): void {
    const top = keyPictureLayers === 0 ? target.spatialLayer : keyPictureLayers - 1;
    const isAbove = isKeyOfLowerLayers && target.spatialLayer > top;
    const spatialLayer = this.current?.spatialLayer ?? 0;
    // Layers that need no others begin anew one by one, and the upper ones go on.
    if (isAbove && spatialLayer > top && this.#isWhole(spatialLayer)) return;
    this.#whole = 0;
    this.#missedPictures = 0;
    this.#change(Math.min(target.spatialLayer, top), target.temporalLayer);
  }

  /** Goes to other layers where the picture allows it. */
  #goOn(payload: ProducerPayload, current: Layers, target: Layers): void {
    let { spatialLayer } = current;
    if (payload.isPictureStart && target.spatialLayer < spatialLayer && this.#isWhole(target.spatialLayer)) {
      ({ spatialLayer } = target);
    }
    const isAbove = payload.spatialLayer > spatialLayer && payload.spatialLayer <= target.spatialLayer;
    if (isAbove && !payload.isLate && payload.isFrameStart && payload.isIndependent) {
      const isReached = !payload.needsLowerLayer || this.#isWhole(payload.spatialLayer - 1);
      if (isReached) ({ spatialLayer } = payload);
    }
    const temporalLayer = this.temporalLayerFor(
      payload,
      current.spatialLayer,
      current.temporalLayer,
      target.temporalLayer,
    );
    this.#change(spatialLayer, temporalLayer);
  }

  #change(spatialLayer: number, temporalLayer: number): void {
    const { current } = this;
    if (spatialLayer === current?.spatialLayer && temporalLayer === current.temporalLayer) return;
    this.setCurrent({ spatialLayer, temporalLayer });
  }

  /** A sender that has stopped the layer we send, where those below it are not sent along, must begin anew with fewer. */
  #pictureBegins(nowMs: number): void {
    this.#missedPictures = this.#hasTopFrame ? 0 : this.#missedPictures + 1;
    this.#hasTopFrame = false;
    const { spatialLayer } = this.current!;
    const isStuck =
      this.#missedPictures === MAX_MISSED_PICTURES && spatialLayer > 0 && !this.#isWhole(spatialLayer - 1);
    if (isStuck) this.requestKeyFrame();
    else this.askAgain(nowMs);
  }

  #note({ spatialLayer, isFrameStart, isIndependent }: ProducerPayload, isPart: boolean, top: number): void {
    if (spatialLayer === top) this.#hasTopFrame = true;
    if (!isPart) this.#whole &= ~(1 << spatialLayer);
    else if (isFrameStart && isIndependent) this.#whole |= 1 << spatialLayer;
  }

  #isWhole(spatialLayer: number): boolean {
    return ((this.#whole >>> spatialLayer) & 1) !== 0;
  }
}
