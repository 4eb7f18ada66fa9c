import type { ProducerPacket } from '../producer-packet.ts';
import { tellsKeyFrames } from '../producer-payload.ts';
import type { ProducerStream } from '../producer-stream.ts';
import { Consumer, type ConsumerContext, type ConsumerOptions } from './consumer.ts';
import type { OutputStream } from './output-stream.ts';

/** One stream, sent as it comes. */
export class SimpleConsumer extends Consumer {
  readonly #output: OutputStream;
  readonly #ignoresDtx: boolean;
  #stream: ProducerStream | undefined;
  #isSyncWanted = true;

  constructor(options: ConsumerOptions, context: ConsumerContext) {
    super(options, context);
    this.#output = this.outputs[0]!;
    this.#ignoresDtx = options.ignoreDtx ?? false;
  }

  takePacket(packet: ProducerPacket, stream: ProducerStream, nowMs: number): void {
    if (!this.isActive) return;
    const { view } = packet;
    const { numbers } = this.#output;
    const { payload } = stream;
    const payloadType = this.payloadTypeOf(packet);
    const { sequenceNumber } = view;
    if (payloadType < 0 || (this.#ignoresDtx && payload.isDtx)) {
      numbers.drop(sequenceNumber);
      return;
    }
    const isNew = !this.#output.isOf(stream);
    if (this.#isSyncWanted || isNew) {
      if (tellsKeyFrames(payload.codec) && !payload.isKeyFrame) return;
      this.#isSyncWanted = false;
      if (isNew) this.#output.follow(stream, view.timestamp, nowMs);
      numbers.sync(sequenceNumber);
    }
    const output = numbers.rewrite(sequenceNumber);
    if (output < 0) return;
    const timestamp = this.#output.timestampOf(view.timestamp);
    this.#output.send(packet, stream, output, timestamp, view.marker, payloadType, nowMs);
  }

  streamAdded(stream: ProducerStream): void {
    // What was sent of the one before lies in another store.
    this.#output.sent.pause();
    this.#stream = stream;
    this.#isSyncWanted = true;
    if (this.isActive) this.requestKeyFrame();
  }

  requestKeyFrame(): void {
    if (this.#stream !== undefined) this.producer.requestKeyFrame(this.#stream);
  }

  layerBitrates(nowMs: number): readonly number[] {
    return [this.#output.sent.rate.bitrateBps(nowMs)];
  }

  takeLayer(): void {
    // It has no choice.
  }

  protected currentSource(): ProducerStream | undefined {
    return this.#stream;
  }

  protected dumpOwn(): object {
    return { rtpStream: this.#output.sent.dump() };
  }

  protected activityChanged(isActive: boolean): void {
    if (!isActive) return;
    this.#isSyncWanted = true;
    this.requestKeyFrame();
  }
}
