/** The load of the SFU benchmark: people in rooms, with sockets and keys of their own, who send video and receive it. */

import { nodeDtlsCrypto } from '../../src/io/dtls-crypto.ts';
import { fingerprintText } from '../../src/protocol/dtls/fingerprint.ts';
import { createSelfSignedCertificate } from '../../src/protocol/dtls/self-signed-certificate.ts';
import { RtpPacketView } from '../../src/protocol/rtp/rtp-packet-view.ts';
import { monotonicUs, sleep } from './clock.ts';
import { BenchError } from './errors.ts';
import { TimeHistogram } from './histogram.ts';
import { SfuPerson } from './sfu-person.ts';
import {
  ABS_SEND_TIME_EXTENSION_ID,
  FRAME_RATE,
  LATE_US,
  MID_EXTENSION_ID,
  type PersonDescription,
  type SfuClientsCommand,
  type SfuClientsCounters,
  type SfuSettings,
  ssrcOf,
  VP8_PAYLOAD_TYPE,
} from './sfu-protocol.ts';
import { readStamp, stampPayload, VideoModel } from './sfu-video.ts';
import { answerCommands, countersOf } from './webrtc-protocol.ts';

const CONNECT_TIMEOUT_MS = 60_000;
/** Handshakes at a time. */
const MAX_CONNECTING = 50;
/** How often it is looked what is due. */
const SEND_INTERVAL_MS = 1;
/** Frames due longer than this are not sent any more. */
const MAX_LATE_US = 100_000;
/** Of all people who receive, about so many decrypt what they get and look at it. */
const WATCHING_PEOPLE = 40;
/** Seconds whose delays are told one by one, and the longest delay told of them. */
const MAX_SECONDS = 600;
const MAX_SECOND_DELAY_MS = 500;
const FRAME_INTERVAL_US = 1_000_000 / FRAME_RATE;
const HEADER_BYTES = 12 + 4 + 8;

const settings = JSON.parse(process.argv[2] ?? '{}') as SfuSettings;
const certificate = createSelfSignedCertificate({ crypto: nodeDtlsCrypto, wallClockMs: Date.now() });
const people: SfuPerson[] = [];
const senders: VideoSender[] = [];
let delays = new TimeHistogram();
/** The same, second by second. */
let secondDelays: TimeHistogram[] = [];
let beginUs = 0;
let received = 0;
let sent = 0;
let faults = 0;
let pictures = 0;
let latePictures = 0;
let failure: string | undefined;
let stopSending: () => void = () => undefined;

/** The video one person sends. */
class VideoSender {
  readonly #person: SfuPerson;
  readonly #video: VideoModel;
  readonly #ssrc: number;
  readonly #mid: number;
  #sequenceNumber = 0;
  #timestamp = 0;

  constructor(person: SfuPerson, index: number) {
    this.#person = person;
    this.#video = new VideoModel(settings.bitrateBps, index);
    this.#ssrc = ssrcOf(index);
    this.#mid = '0'.charCodeAt(0);
  }

  /** Sends the packets of the next frame together, as a pacer that lets frames through does. */
  sendFrame(): void {
    const { socket, session, target } = this.#person;
    const srtp = session.secure.srtpSender!;
    const queue = socket.packetQueue();
    const { isKeyFrame, payloadBytes } = this.#video.next();
    const view = new DataView(queue.bytes.buffer, queue.bytes.byteOffset);
    for (const [i, sizeBytes] of payloadBytes.entries()) {
      const at = queue.reserve(HEADER_BYTES + sizeBytes + srtp.rtpOverheadBytes);
      if (at < 0) continue;
      this.#writeHeader(view, at, i === payloadBytes.length - 1);
      const payloadAt = at + HEADER_BYTES;
      stampPayload(view, payloadAt, i === 0, isKeyFrame, monotonicUs());
      const end = srtp.protectRtp(queue.bytes, at, payloadAt + sizeBytes);
      queue.put(end - at, target);
      sent++;
    }
    queue.flush();
    this.#timestamp = (this.#timestamp + 90_000 / FRAME_RATE) >>> 0;
  }

  #writeHeader(view: DataView, at: number, isLast: boolean): void {
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    view.setUint8(at, 0x90);
    view.setUint8(at + 1, VP8_PAYLOAD_TYPE | (isLast ? 0x80 : 0));
    view.setUint16(at + 2, this.#sequenceNumber);
    view.setUint32(at + 4, this.#timestamp);
    view.setUint32(at + 8, this.#ssrc);
    // Two elements with one-byte headers (RFC 8285), and the padding behind them.
    view.setUint32(at + 12, 0xbede_0002);
    view.setUint8(at + 16, MID_EXTENSION_ID << 4);
    view.setUint8(at + 17, this.#mid);
    view.setUint8(at + 18, (ABS_SEND_TIME_EXTENSION_ID << 4) | 2);
    view.setUint8(at + 19, 0);
    view.setUint16(at + 20, 0);
    view.setUint16(at + 22, 0);
  }
}

/** Looks at what one person gets: whether it is genuine and in order, and how long it was on its way. */
function watch(person: () => SfuPerson): (bytes: Uint8Array, start: number, end: number) => void {
  const view = new RtpPacketView();
  const newest = new Map<number, number>();
  return (bytes, start, end) => {
    received++;
    const { secure } = person().session;
    const clearEnd = secure.unprotectRtp(bytes, start, end);
    if (clearEnd === 0 || !view.look(bytes, start, clearEnd)) {
      faults++;
      return;
    }
    const last = newest.get(view.ssrc);
    if (last !== undefined && view.sequenceNumber !== ((last + 1) & 0xffff)) faults++;
    newest.set(view.ssrc, view.sequenceNumber);
    const sentUs = readStamp(new DataView(bytes.buffer, bytes.byteOffset), view.payloadStart);
    noteDelay(sentUs, monotonicUs());
  };
}

function noteDelay(sentUs: number, nowUs: number): void {
  delays.add(nowUs - sentUs);
  const second = Math.floor((nowUs - beginUs) / 1e6);
  while (secondDelays.length <= second && secondDelays.length < MAX_SECONDS) {
    secondDelays.push(new TimeHistogram(MAX_SECOND_DELAY_MS));
  }
  secondDelays[second]?.add(nowUs - sentUs);
}

async function connect(descriptions: readonly PersonDescription[]): Promise<void> {
  const { rooms, people: inRoom, senders: sending } = settings;
  const watchEvery = Math.max(1, Math.floor((rooms * inRoom) / WATCHING_PEOPLE));
  const deadlineMs = performance.now() + CONNECT_TIMEOUT_MS;
  for (const [index, description] of descriptions.entries()) {
    const options = { certificate, profile: settings.profile, onFailure: (reason: string) => (failure ??= reason) };
    // The last of a room is among those who watch: a room of one sender and one viewer has no other.
    const isWatching = index % watchEvery === watchEvery - 1 || rooms * inRoom <= WATCHING_PEOPLE;
    const count = (): void => {
      received++;
    };
    const person: SfuPerson = await SfuPerson.open({ ...options, onRtp: isWatching ? watch(() => person) : count });
    people.push(person);
    if (index % inRoom < sending) senders.push(new VideoSender(person, index));
    person.connect(description);
    await connected(MAX_CONNECTING, deadlineMs);
  }
  await connected(0, deadlineMs);
}

/** Waits until no more than so many are still on their way. */
async function connected(most: number, deadlineMs: number): Promise<void> {
  for (;;) {
    const waiting = people.reduce((sum, { isConnected }) => sum + (isConnected ? 0 : 1), 0);
    if (waiting <= most) return;
    if (failure !== undefined || performance.now() > deadlineMs) {
      throw new BenchError(
        'bench/not-joined',
        `${people.length - waiting} got through, then: ${failure ?? 'no keys in time'}`,
      );
    }
    await sleep(5);
  }
}

/** Sends frames when they are due; those of different people are spread over the time of one frame. */
function startSending(): void {
  const startUs = monotonicUs();
  const stepUs = FRAME_INTERVAL_US / senders.length;
  let next = 0;
  const sendDue = (): void => {
    const nowUs = monotonicUs();
    for (; startUs + next * stepUs <= nowUs; next++) {
      const lateUs = nowUs - (startUs + next * stepUs);
      if (lateUs >= MAX_LATE_US) continue;
      pictures++;
      if (lateUs > LATE_US) latePictures++;
      senders[next % senders.length]!.sendFrame();
    }
  };
  if (settings.isAwake !== true) {
    const timer = setInterval(sendDue, SEND_INTERVAL_MS);
    stopSending = () => clearInterval(timer);
    return;
  }
  let turn = setImmediate(function again(): void {
    sendDue();
    turn = setImmediate(again);
  });
  stopSending = () => clearImmediate(turn);
}

answerCommands<SfuClientsCommand>(async (command) => {
  if (command.type === 'certificate') {
    const { value } = certificate.fingerprint('sha-256');
    return fingerprintText(value);
  }
  if (command.type === 'connect') await connect(command.people);
  if (command.type === 'send') {
    stopSending();
    if (command.isOn) startSending();
  }
  if (command.type === 'begin') {
    delays = new TimeHistogram();
    secondDelays = [];
    beginUs = monotonicUs();
  }
  const counters: SfuClientsCounters = {
    ...countersOf(received, sent),
    delay: delays.percentiles(),
    // The last second is not over.
    secondP99Ms: secondDelays.slice(0, -1).map((second) => second.percentiles().p99Ms),
    faults,
    pictures,
    latePictures,
  };
  return counters;
});
