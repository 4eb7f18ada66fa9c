import { allowedSteps, type LayerHistory, NO_LAYER_HISTORY, toHistory } from '../layers/layer-choice.ts';
import { type LayerLadder, type Layers, toPreferredLayers } from '../layers/layer-ladder.ts';
import type { ProducerPacket } from '../producer-packet.ts';
import type { ProducerPayload } from '../producer-payload.ts';
import type { ProducerStream } from '../producer-stream.ts';
import { SequenceRewriter } from '../streams/sequence-rewriter.ts';
import { readScalabilityMode } from '../transports/rtp-parameters.ts';
import { Consumer, type ConsumerContext, type ConsumerLayers, type ConsumerOptions } from './consumer.ts';
import type { OutputStream, PictureReplacement } from './output-stream.ts';

/** A key frame that was asked for and has not come is asked for again after so long, milliseconds. */
const KEY_FRAME_PATIENCE_MS = 3000;

/** What consumers that choose among layers have in common. */
export abstract class LayeredConsumer extends Consumer {
  protected readonly output: OutputStream;
  /** What is to be sent; undefined for nothing. */
  protected target: Layers | undefined;
  /** What is sent; undefined before its first key frame. */
  protected current: Layers | undefined;
  #preferred: Layers;
  #history: LayerHistory = NO_LAYER_HISTORY;
  #ladder: LayerLadder = [];
  #pictureIds: SequenceRewriter | undefined;
  readonly #tl0Indexes = new SequenceRewriter({ bits: 8 });
  readonly #picture: PictureReplacement = { pictureId: 0, tl0PictureIndex: 0 };
  #toldLayers = '';
  #askedMs = 0;

  constructor(options: ConsumerOptions, context: ConsumerContext) {
    super(options, context);
    this.output = this.outputs[0]!;
    this.#preferred = toPreferredLayers(options.preferredLayers, this.spatialLayers, this.temporalLayers);
  }

  /** Spatial layers there are, at least 1. */
  protected get spatialLayers(): number {
    const encodings = this.consumableRtpEncodings;
    return encodings.length > 1 ? encodings.length : readScalabilityMode(encodings[0]?.scalabilityMode).spatialLayers;
  }

  /** Temporal layers there are, at least 1. */
  protected get temporalLayers(): number {
    return readScalabilityMode(this.consumableRtpEncodings[0]?.scalabilityMode).temporalLayers;
  }

  override get hasLayers(): boolean {
    return true;
  }

  override get preferredLayers(): ConsumerLayers {
    return this.#preferred;
  }

  override setPreferredLayers(layers: ConsumerLayers): ConsumerLayers {
    this.#preferred = toPreferredLayers(layers, this.spatialLayers, this.temporalLayers);
    this.context.onBitrateWish();
    return this.#preferred;
  }

  /** What can be sent now, the least first. */
  protected abstract ladder(preferred: Layers, nowMs: number): LayerLadder;
  /** `target` is another than it was. */
  protected abstract targetChanged(): void;

  layerBitrates(nowMs: number): readonly number[] {
    this.#ladder = allowedSteps(this.ladder(this.#preferred, nowMs), this.#history, nowMs);
    return this.#ladder.map(({ bitrateBps }) => bitrateBps);
  }

  takeLayer(index: number, nowMs: number): void {
    const step = this.#ladder[index];
    this.#history = toHistory(this.#ladder, step, this.#history, nowMs);
    const { target } = this;
    if (step?.spatialLayer === target?.spatialLayer && step?.temporalLayer === target?.temporalLayer) return;
    this.target =
      step === undefined ? undefined : { spatialLayer: step.spatialLayer, temporalLayer: step.temporalLayer };
    if (step === undefined) this.setCurrent(undefined);
    this.#askedMs = nowMs;
    this.targetChanged();
  }

  streamAdded(stream: ProducerStream): void {
    // What was sent of the one before lies in another store.
    this.output.sent.pause();
    // It has come in the place of what is sent. Otherwise its packets are not counted yet: `scoreChanged` follows them.
    if (this.isActive && this.current !== undefined && stream === this.currentSource()) this.requestKeyFrame();
  }

  override scoreChanged(): void {
    super.scoreChanged();
    if (this.isActive) this.context.onBitrateWish();
  }

  protected activityChanged(isActive: boolean): void {
    if (isActive) return;
    this.target = undefined;
    this.#history = NO_LAYER_HISTORY;
    this.setCurrent(undefined);
  }

  /** Notes what is sent from now on, and tells control. */
  protected setCurrent(layers: Layers | undefined): void {
    this.current = layers;
    const text = layers === undefined ? '' : `${layers.spatialLayer}.${layers.temporalLayer}`;
    if (text === this.#toldLayers) return;
    this.#toldLayers = text;
    this.context.environment.notify(this.id, 'layerschange', layers ?? null);
  }

  /** Numbers of packets and pictures begin anew with this packet. */
  protected syncNumbers(sequenceNumber: number, payload: ProducerPayload): void {
    this.output.numbers.sync(sequenceNumber);
    const descriptor = pictureOf(payload);
    if (descriptor === undefined) return;
    if (descriptor.pictureIdBits !== 0) {
      this.#pictureIds ??= new SequenceRewriter({ bits: descriptor.pictureIdBits });
      this.#pictureIds.sync(descriptor.pictureId);
    }
    if (descriptor.tl0PictureIndex >= 0) this.#tl0Indexes.sync(descriptor.tl0PictureIndex);
  }

  /**
   * Leaves a packet out. With VP8 its picture too; those of VP9 refer to each other by how far their ids are apart, so that
   * what is left out has to leave its gap (RFC 9628 §4.2).
   */
  protected drop(
    packet: ProducerPacket,
    { codec, vp8 }: ProducerPayload,
    timestamp: number,
    payloadType: number,
    nowMs: number,
  ): void {
    const { numbers } = this.output;
    const { sequenceNumber } = packet.view;
    if (!numbers.drop(sequenceNumber) && payloadType >= 0) {
      const number = numbers.rewrite(sequenceNumber);
      if (number >= 0) this.output.fill(packet, number, timestamp, payloadType, nowMs);
    }
    if (codec === 'vp8' && vp8.pictureIdBits !== 0) this.#pictureIds?.drop(vp8.pictureId);
  }

  /** Numbers of the picture as the viewer gets them; undefined where the codec has none. Good until the next call. */
  protected pictureNumbers(payload: ProducerPayload): PictureReplacement | undefined {
    const descriptor = pictureOf(payload);
    if (descriptor === undefined || this.#pictureIds === undefined) return undefined;
    const picture = this.#picture;
    picture.pictureId =
      descriptor.pictureIdBits === 0 ? 0 : Math.max(0, this.#pictureIds.rewrite(descriptor.pictureId));
    picture.tl0PictureIndex =
      descriptor.tl0PictureIndex < 0 ? 0 : Math.max(0, this.#tl0Indexes.rewrite(descriptor.tl0PictureIndex));
    return picture;
  }

  /**
   * The temporal layer that is sent from this packet on, of `current` and `target`: down with a new picture, up where the
   * stream allows it.
   * @param spatialLayer that is sent, of those within the stream: with simulcast no other than the packet's
   */
  protected temporalLayerFor(payload: ProducerPayload, spatialLayer: number, current: number, target: number): number {
    if (payload.isKeyFrame) return target;
    if (payload.isLate) return current;
    // A picture that was begun is finished.
    const least = payload.isPictureStart ? Math.min(current, target) : current;
    return least < target ? payload.temporalLayerUp(spatialLayer, least, target) : least;
  }

  /** Asks for a key frame once more when one was asked for and nothing has come of it. */
  protected askAgain(nowMs: number): void {
    if (this.target?.spatialLayer === this.current?.spatialLayer || nowMs - this.#askedMs < KEY_FRAME_PATIENCE_MS)
      return;
    this.#askedMs = nowMs;
    this.requestKeyFrame();
  }

  protected dumpOwn(): object {
    const { current, target } = this;
    return {
      rtpStream: this.output.sent.dump(),
      preferredSpatialLayer: this.#preferred.spatialLayer,
      targetSpatialLayer: target?.spatialLayer ?? -1,
      currentSpatialLayer: current?.spatialLayer ?? -1,
      preferredTemporalLayer: this.#preferred.temporalLayer,
      targetTemporalLayer: target?.temporalLayer ?? -1,
      currentTemporalLayer: current?.temporalLayer ?? -1,
    };
  }

  /** The producer's stream of an encoding. */
  protected streamOf(encodingIdx: number | undefined): ProducerStream | undefined {
    return encodingIdx === undefined ? undefined : this.producer.streams[encodingIdx];
  }
}

function pictureOf(payload: ProducerPayload): ProducerPayload['vp8'] | ProducerPayload['vp9'] | undefined {
  if (payload.codec === 'vp8') return payload.vp8;
  return payload.codec === 'vp9' ? payload.vp9 : undefined;
}
