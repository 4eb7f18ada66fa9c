import { type LayerLadder, type Layers, layerBitrates } from '../layers/layer-ladder.ts';
import { svcLadder } from '../layers/svc-ladder.ts';
import type { ProducerPacket } from '../producer-packet.ts';
import type { ProducerPayload } from '../producer-payload.ts';
import type { ProducerStream } from '../producer-stream.ts';
import { LayeredConsumer } from './layered-consumer.ts';

/** One stream with layers, without those there is no bandwidth for. */
export class SvcConsumer extends LayeredConsumer {
  #epoch = 0;

  takePacket(packet: ProducerPacket, stream: ProducerStream, nowMs: number): void {
    const { target } = this;
    if (!this.isActive || target === undefined) return;
    const { view } = packet;
    const { payload } = stream;
    const { sequenceNumber } = view;
    const payloadType = this.payloadTypeOf(packet);
    if (this.current === undefined || stream.epoch !== this.#epoch) {
      if (!payload.isKeyFrame || payloadType < 0) return;
      this.#epoch = stream.epoch;
      this.syncNumbers(sequenceNumber, payload);
      this.setCurrent(target);
    }
    const current = this.current!;
    const spatialLayer = spatialLayerFor(payload, current.spatialLayer, target.spatialLayer);
    const temporalLayer = this.temporalLayerFor(payload, current.temporalLayer, target.temporalLayer);
    const isAbove = payload.spatialLayer > spatialLayer;
    if (payloadType < 0 || isAbove || temporalLayer < 0) {
      this.drop(sequenceNumber, payload, temporalLayer < 0);
      return;
    }
    if (spatialLayer !== current.spatialLayer || temporalLayer !== current.temporalLayer) {
      this.setCurrent({ spatialLayer, temporalLayer });
    }
    const number = this.output.numbers.rewrite(sequenceNumber);
    if (number < 0) return;
    // With the layers above left out, the picture ends here.
    const marker =
      view.marker || (payload.isFrameEnd && payload.spatialLayer === spatialLayer && this.spatialLayers > 1);
    const picture = this.pictureNumbers(payload);
    this.output.send(packet, stream, number, view.timestamp, marker, payloadType, nowMs, picture);
  }

  requestKeyFrame(): void {
    const stream = this.streamOf(0);
    if (stream !== undefined) this.producer.requestKeyFrame(stream);
  }

  protected currentSource(): ProducerStream | undefined {
    return this.streamOf(0);
  }

  protected targetChanged(): void {
    if (this.target === undefined) return;
    if (this.current === undefined || this.target.spatialLayer > this.current.spatialLayer) this.requestKeyFrame();
  }

  protected ladder(preferred: Layers, nowMs: number): LayerLadder {
    const stream = this.streamOf(0);
    if (stream === undefined) return [];
    const { received, params } = stream;
    return svcLadder({ score: received.score, bitratesBps: layerBitrates(received.rate, nowMs, params) }, preferred);
  }
}

/** The spatial layer that is sent from this packet on: down with a new picture, up where the layer above can be decoded. */
function spatialLayerFor(payload: ProducerPayload, current: number, target: number): number {
  if (payload.isKeyFrame) return target;
  const isPictureStart = payload.isFrameStart && payload.spatialLayer === 0;
  if (target < current) return isPictureStart ? target : current;
  const isNext = payload.spatialLayer === current + 1 && payload.spatialLayer <= target;
  return isNext && payload.isFrameStart && payload.isIndependent ? payload.spatialLayer : current;
}
