import { readAudioLevel } from '../protocol/rtp/extensions/audio-level.ts';
import { HEADER_EXTENSION_URI } from '../protocol/rtp/extensions/header-extension-uris.ts';
import { StateError } from '../wire/errors.ts';
import { ActiveSpeakerObserver, type ActiveSpeakerObserverOptions } from './observers/active-speaker-observer.ts';
import { AudioLevelObserver, type AudioLevelObserverOptions } from './observers/audio-level-observer.ts';
import type { Producer } from './producer.ts';
import type { PacketTaker, ProducerPacket } from './producer-packet.ts';
import type { ProducerStream } from './producer-stream.ts';
import { EarliestTimer, type RouterEnvironment, type SfuErrorCode } from './router-environment.ts';
import { headerExtensionId } from './transports/rtp-parameters.ts';

const LEVEL_MASK = 0x7f;

/** What an observer listens by. */
type Observer =
  | { readonly type: 'audiolevel'; readonly levels: AudioLevelObserver }
  | { readonly type: 'activespeaker'; readonly speakers: ActiveSpeakerObserver };

/** Which observer is wanted, with its settings. */
export type RtpObserverSettings =
  | ({ readonly type: 'audiolevel' } & AudioLevelObserverOptions)
  | ({ readonly type: 'activespeaker' } & ActiveSpeakerObserverOptions);

/** Listens to the sound of some producers of a router, and tells control who is loud or speaks. */
export class RouterRtpObserver {
  readonly id: string;
  readonly #environment: RouterEnvironment;
  readonly #observer: Observer;
  readonly #taps = new Map<Producer, LevelTap>();
  readonly #timer: EarliestTimer;

  constructor(id: string, settings: RtpObserverSettings, environment: RouterEnvironment) {
    const nowMs = environment.clock.nowMs();
    this.id = id;
    this.#environment = environment;
    this.#observer =
      settings.type === 'audiolevel'
        ? { type: 'audiolevel', levels: new AudioLevelObserver(settings, nowMs) }
        : { type: 'activespeaker', speakers: new ActiveSpeakerObserver(settings, nowMs) };
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
    const observer = this.#observer;
    const { id, paused } = producer;
    const sink =
      observer.type === 'audiolevel'
        ? observer.levels.addProducer(id, paused)
        : observer.speakers.addProducer(id, paused);
    if (sink === undefined) return;
    const setPaused = (isPaused: boolean): void => {
      if (observer.type === 'audiolevel') observer.levels.setProducerPaused(id, isPaused);
      else observer.speakers.setProducerPaused(id, isPaused);
    };
    const tap = new LevelTap(
      headerExtensionId(producer.rtpParameters, HEADER_EXTENSION_URI.audioLevel),
      sink,
      setPaused,
    );
    this.#taps.set(producer, tap);
    producer.addTaker(tap);
  }

  removeProducer(producer: Producer): void {
    const tap = this.#taps.get(producer);
    if (tap === undefined) return;
    this.#taps.delete(producer);
    producer.removeTaker(tap);
    const observer = this.#observer;
    if (observer.type === 'audiolevel') observer.levels.removeProducer(producer.id);
    else this.#tell(observer.speakers.removeProducer(producer.id, this.#environment.clock.nowMs()));
  }

  pause(): void {
    if (this.#observer.type === 'audiolevel') this.#tell(this.#observer.levels.pause());
    else this.#observer.speakers.pause();
  }

  resume(): void {
    const nowMs = this.#environment.clock.nowMs();
    if (this.#observer.type === 'audiolevel') this.#observer.levels.resume(nowMs);
    else this.#observer.speakers.resume(nowMs);
    this.#plan();
  }

  close(): void {
    for (const [producer, tap] of this.#taps) producer.removeTaker(tap);
    this.#taps.clear();
    this.#timer.close();
  }

  #handleTimeout(): void {
    const nowMs = this.#environment.clock.nowMs();
    const observer = this.#observer;
    this.#tell(
      observer.type === 'audiolevel' ? observer.levels.handleTimeout(nowMs) : observer.speakers.handleTimeout(nowMs),
    );
    this.#plan();
  }

  #tell(
    event: ReturnType<AudioLevelObserver['handleTimeout']> | ReturnType<ActiveSpeakerObserver['handleTimeout']>,
  ): void {
    if (event?.type === 'volumes') this.#environment.notify(this.id, 'volumes', event.volumes);
    else if (event?.type === 'silence') this.#environment.notify(this.id, 'silence');
    else if (event !== undefined)
      this.#environment.notify(this.id, 'dominantspeaker', { producerId: event.producerId });
  }

  #plan(): void {
    const observer = this.#observer;
    this.#timer.plan(
      observer.type === 'audiolevel' ? observer.levels.nextTimeoutMs() : observer.speakers.nextTimeoutMs(),
    );
  }
}

/** Takes the levels out of the packets of one producer. */
class LevelTap implements PacketTaker {
  readonly #levelId: number;
  readonly #sink: { add(level: number, nowMs: number): void };
  readonly #setPaused: (isPaused: boolean) => void;

  constructor(
    levelId: number,
    sink: { add(level: number, nowMs: number): void },
    setPaused: (isPaused: boolean) => void,
  ) {
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
