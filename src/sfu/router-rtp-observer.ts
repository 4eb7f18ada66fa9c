import { readAudioLevel } from '../protocol/rtp/extensions/audio-level.ts';
import { HEADER_EXTENSION_URI } from '../protocol/rtp/extensions/header-extension-uris.ts';
import { StateError } from '../wire/errors.ts';
import type { LevelSink, SoundEvent, SoundObserver } from './observers/sound-observer.ts';
import type { Producer } from './producer.ts';
import type { PacketTaker, ProducerPacket } from './producer-packet.ts';
import type { ProducerStream } from './producer-stream.ts';
import { EarliestTimer, type RouterEnvironment, type SfuErrorCode } from './router-environment.ts';
import { headerExtensionId } from './transports/rtp-parameters.ts';

const LEVEL_MASK = 0x7f;

/** Has some producers of a router listened to, and tells control who is loud or speaks. */
export class RouterRtpObserver {
  readonly id: string;
  readonly #environment: RouterEnvironment;
  readonly #observer: SoundObserver;
  readonly #taps = new Map<Producer, LevelTap>();
  readonly #timer: EarliestTimer;

  constructor(id: string, observer: SoundObserver, environment: RouterEnvironment) {
    this.id = id;
    this.#environment = environment;
    this.#observer = observer;
    this.#timer = new EarliestTimer(environment.clock, () => this.#handleTimeout());
    this.#plan();
  }

  get producerIds(): readonly string[] {
    return Array.from(this.#taps.keys(), ({ id }) => id);
  }

  /** @throws StateError `sfu/bad-request` for one of video */
  addProducer(producer: Producer): void {
    if (producer.kind !== 'audio') {
      throw new StateError('sfu/bad-request' satisfies SfuErrorCode, `producer ${producer.id} is not of audio`);
    }
    if (this.#taps.has(producer)) return;
    const { id, paused } = producer;
    const sink = this.#observer.addProducer(id, paused);
    if (sink === undefined) return;
    const tap = new LevelTap(
      headerExtensionId(producer.rtpParameters, HEADER_EXTENSION_URI.audioLevel),
      sink,
      (isPaused) => this.#observer.setProducerPaused(id, isPaused),
    );
    this.#taps.set(producer, tap);
    producer.addTaker(tap);
  }

  removeProducer(producer: Producer): void {
    const tap = this.#taps.get(producer);
    if (tap === undefined) return;
    this.#taps.delete(producer);
    producer.removeTaker(tap);
    this.#tell(this.#observer.removeProducer(producer.id, this.#environment.clock.nowMs()));
  }

  pause(): void {
    this.#tell(this.#observer.pause());
  }

  resume(): void {
    this.#observer.resume(this.#environment.clock.nowMs());
    this.#plan();
  }

  close(): void {
    for (const [producer, tap] of this.#taps) producer.removeTaker(tap);
    this.#taps.clear();
    this.#timer.close();
  }

  #handleTimeout(): void {
    this.#tell(this.#observer.handleTimeout(this.#environment.clock.nowMs()));
    this.#plan();
  }

  #tell(event: SoundEvent | undefined): void {
    if (event?.type === 'volumes') this.#environment.notify(this.id, 'volumes', event.volumes);
    else if (event?.type === 'silence') this.#environment.notify(this.id, 'silence');
    else if (event !== undefined)
      this.#environment.notify(this.id, 'dominantspeaker', { producerId: event.producerId });
  }

  #plan(): void {
    this.#timer.plan(this.#observer.nextTimeoutMs());
  }
}

/** Takes the levels out of the packets of one producer. */
class LevelTap implements PacketTaker {
  readonly #levelId: number;
  readonly #sink: LevelSink;
  readonly #setPaused: (isPaused: boolean) => void;

  constructor(levelId: number, sink: LevelSink, setPaused: (isPaused: boolean) => void) {
    this.#levelId = levelId;
    this.#sink = sink;
    this.#setPaused = setPaused;
  }

  takePacket({ view }: ProducerPacket, _stream: ProducerStream, nowMs: number): void {
    const at = this.#levelId === 0 ? -1 : view.findElement(this.#levelId);
    const level = at < 0 ? undefined : readAudioLevel(view.bytes, at, view.elementBytes);
    if (level !== undefined) this.#sink.add(level & LEVEL_MASK, nowMs);
  }

  producerPaused(): void {
    this.#setPaused(true);
  }

  producerResumed(): void {
    this.#setPaused(false);
  }

  streamAdded(): void {
    // Levels are of the producer, whichever of its streams they come with.
  }

  scoreChanged(): void {
    // How well a stream comes through says nothing of its sound.
  }
}
