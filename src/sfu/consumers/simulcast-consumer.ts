import { type LayerLadder, type Layers, layerBitrates } from '../layers/layer-ladder.ts';
import { type SimulcastStream, simulcastLadder } from '../layers/simulcast-ladder.ts';
import type { ProducerPacket } from '../producer-packet.ts';
import type { ProducerStream } from '../producer-stream.ts';
import { LayeredConsumer } from './layered-consumer.ts';

/** A stream whose sender's clock stays unknown for so long is switched to all the same, milliseconds. */
const CLOCK_PATIENCE_MS = 4000;

/** One of several encodings of the same pictures: as good as there is bandwidth for. */
export class SimulcastConsumer extends LayeredConsumer {
  takePacket(packet: ProducerPacket, stream: ProducerStream, nowMs: number): void {
    const { target } = this;
    if (!this.isActive || target === undefined) return;
    const { view } = packet;
    const { payload, params } = stream;
    const { encodingIdx } = params;
    const payloadType = this.payloadTypeOf(packet);
    const isCurrent = encodingIdx === this.current?.spatialLayer && this.output.isOf(stream);
    if (!isCurrent) {
      const isWanted = encodingIdx === target.spatialLayer || encodingIdx === this.current?.spatialLayer;
      if (!isWanted || !payload.isKeyFrame || payloadType < 0) return;
      this.#switchTo(packet, stream, nowMs);
    }
    const current = this.current!;
    const { sequenceNumber } = view;
    // While another stream is waited for, this one goes on as it was.
    const wanted = encodingIdx === target.spatialLayer ? target.temporalLayer : current.temporalLayer;
    const temporalLayer = this.temporalLayerFor(payload, payload.spatialLayer, current.temporalLayer, wanted);
    if (temporalLayer !== current.temporalLayer) this.setCurrent({ spatialLayer: encodingIdx, temporalLayer });
    if (payload.isPictureStart) this.askAgain(nowMs);
    const timestamp = this.output.timestampOf(view.timestamp);
    if (payloadType < 0 || payload.temporalLayer > temporalLayer) {
      this.drop(packet, payload, timestamp, payloadType, nowMs);
      return;
    }
    const number = this.output.numbers.rewrite(sequenceNumber);
    if (number < 0) return;
    const picture = this.pictureNumbers(payload);
    this.output.send(packet, stream, number, timestamp, view.marker, payloadType, nowMs, picture);
  }

  requestKeyFrame(): void {
    const stream = this.streamOf(this.target?.spatialLayer) ?? this.streamOf(this.current?.spatialLayer);
    if (stream !== undefined) this.producer.requestKeyFrame(stream);
  }

  protected currentSource(): ProducerStream | undefined {
    return this.streamOf(this.current?.spatialLayer);
  }

  protected targetChanged(): void {
    if (this.target !== undefined && this.target.spatialLayer !== this.current?.spatialLayer) this.requestKeyFrame();
  }

  protected ladder(preferred: Layers, nowMs: number): LayerLadder {
    const source = this.currentSource();
    const streams = this.producer.streams.map((stream): SimulcastStream | undefined => {
      if (stream === undefined) return undefined;
      const { received, params } = stream;
      return {
        score: received.score,
        activeMs: received.activeMs(nowMs),
        canSwitch: canSwitch(source, stream, nowMs),
        bitratesBps: layerBitrates(received.rate, nowMs, params)[0] ?? [],
      };
    });
    return simulcastLadder(streams, preferred, this.current?.spatialLayer);
  }

  /** Goes on with another stream from its key frame on, at the same time as the one before. */
  #switchTo(packet: ProducerPacket, stream: ProducerStream, nowMs: number): void {
    const { timestamp, sequenceNumber } = packet.view;
    const { encodingIdx } = stream.params;
    this.output.follow(stream, timestamp, nowMs, this.#alignedTimestamp(stream, timestamp));
    this.syncNumbers(sequenceNumber, stream.payload);
    const temporalLayer = Math.min(this.target?.temporalLayer ?? 0, stream.params.temporalLayers - 1);
    this.setCurrent({ spatialLayer: encodingIdx, temporalLayer });
  }

  /** The timestamp of the same moment as this stream's as it would be sent of the current one; undefined without clocks. */
  #alignedTimestamp(stream: ProducerStream, timestamp: number): number | undefined {
    const source = this.currentSource();
    const ntpMs = stream.received.ntpMsAt(timestamp);
    if (source === undefined || source === stream || ntpMs === undefined) return undefined;
    const sourceTimestamp = source.received.timestampAt(ntpMs);
    return sourceTimestamp === undefined ? undefined : this.output.timestampOf(sourceTimestamp);
  }
}

/** Whether pictures of a stream can be put behind those of the one that is sent. */
function canSwitch(source: ProducerStream | undefined, { received, params }: ProducerStream, nowMs: number): boolean {
  if (source === undefined || received.activeMs(nowMs) >= CLOCK_PATIENCE_MS) return true;
  // Where there is no room for what is sent, something with a guessed time is better than nothing.
  if (params.encodingIdx < source.params.encodingIdx) return true;
  return source.received.ntpMsAt(0) !== undefined && received.ntpMsAt(0) !== undefined;
}
