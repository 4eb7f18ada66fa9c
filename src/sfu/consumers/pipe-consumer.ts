import type { ProducerPacket } from '../producer-packet.ts';
import { tellsKeyFrames } from '../producer-payload.ts';
import type { ProducerStream } from '../producer-stream.ts';
import { Consumer, type ConsumerScore } from './consumer.ts';

/** All streams of a producer, as they come, for another router. */
export class PipeConsumer extends Consumer {
  /** Of each output: it goes on where it was. */
  readonly #isSynced: boolean[] = this.outputs.map(() => false);

  takePacket(packet: ProducerPacket, stream: ProducerStream, nowMs: number): void {
    if (!this.isActive) return;
    const { encodingIdx } = stream.params;
    const output = this.outputs[encodingIdx];
    if (output === undefined) return;
    const { view } = packet;
    const { numbers } = output;
    const payloadType = this.payloadTypeOf(packet);
    if (payloadType < 0) {
      numbers.drop(view.sequenceNumber);
      return;
    }
    const isNew = !output.isOf(stream);
    if (isNew || !this.#isSynced[encodingIdx]) {
      if (tellsKeyFrames(stream.payload.codec) && !stream.payload.isKeyFrame) return;
      this.#isSynced[encodingIdx] = true;
      if (isNew) output.follow(stream, view.timestamp, nowMs);
      numbers.sync(view.sequenceNumber);
    }
    const number = numbers.rewrite(view.sequenceNumber);
    if (number < 0) return;
    const timestamp = output.timestampOf(view.timestamp);
    output.send(packet, stream, number, timestamp, view.marker, payloadType, nowMs);
  }

  streamAdded(stream: ProducerStream): void {
    // What was sent of the one before lies in another store.
    this.outputs[stream.params.encodingIdx]?.sent.pause();
    this.#isSynced[stream.params.encodingIdx] = false;
    if (this.isActive) this.producer.requestKeyFrame(stream);
  }

  requestKeyFrame(): void {
    for (const stream of this.producer.streams) if (stream !== undefined) this.producer.requestKeyFrame(stream);
  }

  layerBitrates(nowMs: number): readonly number[] {
    return [this.outputs.reduce((sum, { sent }) => sum + sent.rate.bitrateBps(nowMs), 0)];
  }

  takeLayer(): void {
    // It has no choice.
  }

  protected currentSource(): ProducerStream | undefined {
    return undefined;
  }

  protected dumpOwn(): object {
    return { rtpStreams: this.outputs.map(({ sent }) => sent.dump()) };
  }

  /** It does not measure: the next router does. */
  override get score(): ConsumerScore {
    return { score: 10, producerScore: 10, producerScores: super.score.producerScores };
  }

  protected override tellScore(): void {
    // There is nothing to tell.
  }

  protected activityChanged(isActive: boolean): void {
    if (!isActive) return;
    this.#isSynced.fill(false);
    this.requestKeyFrame();
  }
}
