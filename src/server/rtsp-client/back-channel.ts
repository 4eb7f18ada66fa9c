import { nodeClock } from '../../io/node-clock.ts';
import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import type { Stream } from '../../media/stream.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import type { StreamName } from '../../media/stream-name.ts';
import type { RtpMapping } from '../../protocol/rtp/payload/payload-format.ts';
import type { RtspClientTrack } from '../../protocol/rtsp/client-events.ts';
import type { Logger } from '../log/logger.ts';
import { backChannelFormats, formatFor, formatName } from './back-channel-format.ts';
import { BackChannelSender, type SendPacket } from './back-channel-sender.ts';

/** How often it is looked for new sound, milliseconds: as long as a packet of most telephones. */
const SEND_MS = 20;

export interface BackChannelOptions {
  readonly hub: StreamHub;
  /** The stream whose sound goes to the camera. */
  readonly name: StreamName;
  readonly log: Logger;
}

/** What was logged last: each change is told once, over all connections. */
type Told = 'nothing' | 'absent' | 'unusable' | 'refused' | 'talking' | 'mismatch' | 'silent';

/**
 * The sound of a stream of ours for the loudspeaker of a camera (ONVIF Streaming Specification §5.3), for as long as the
 * stream is live. Sound is taken as it comes, from the moment the camera can hear it; it is not transcoded. It does not
 * count as a viewer.
 */
export class BackChannel {
  readonly #options: BackChannelOptions;
  readonly #key: string;
  #formats: readonly RtpMapping[] = [];
  #send: SendPacket | undefined;
  #stopTimer: (() => void) | undefined;
  #stream: Stream | undefined;
  /** Frame of the log to be looked at next. */
  #cursor = 0;
  #sender: BackChannelSender | undefined;
  /** Header the format was chosen for. */
  #header: Stream['header'] | undefined;
  #told: Told = 'nothing';

  constructor(options: BackChannelOptions) {
    this.#options = options;
    this.#key = `${options.name.app}/${options.name.stream}`;
  }

  /** The track of a description to be set up: one that the stream fits if it is live, else the first that can be served. */
  choose(described: readonly RtspClientTrack[]): RtspClientTrack | undefined {
    const offered = described.filter((track) => track.isBackChannel);
    const usable = offered.filter((track) => backChannelFormats(track).length > 0);
    const tracks = this.#options.hub.get(this.#options.name)?.header.tracks ?? [];
    const fitting = usable.find((track) => tracks.some((one) => formatFor(one, backChannelFormats(track))));
    const chosen = fitting ?? usable[0];
    this.#formats = chosen === undefined ? [] : backChannelFormats(chosen);
    if (offered.length === 0) this.#tell('absent', 'the camera has no back channel');
    else if (chosen === undefined)
      this.#tell('unusable', 'the back channel of the camera is in no format Millrace has');
    return chosen;
  }

  /** The camera would not set the track up. */
  refused(): void {
    this.#tell('refused', 'the camera refuses its back channel');
  }

  /** The camera listens: packets go to `send` until `stop`. */
  start(send: SendPacket): void {
    this.#send = send;
    this.#stopTimer ??= nodeClock.every(SEND_MS, () => this.#tick());
  }

  /** Nobody listens any more. Idempotent. */
  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#send = undefined;
    this.#leaveStream();
    // Another connection is another session: it has sources of its own, and is told of anew.
    this.#sender = undefined;
    if (this.#told === 'talking' || this.#told === 'silent') this.#told = 'nothing';
  }

  #tick(): void {
    const stream = this.#options.hub.get(this.#options.name);
    const isThere = stream !== undefined && (stream.state === 'live' || stream.state === 'grace');
    if (!isThere || stream !== this.#stream) {
      this.#leaveStream();
      if (!isThere) {
        if (this.#told === 'talking') this.#tell('silent', 'the stream for the camera has ended');
        return;
      }
      this.#stream = stream;
      // What was said before is of no use any more.
      this.#cursor = stream.log.head;
    }
    const { log } = this.#stream!;
    this.#cursor = Math.max(this.#cursor, log.first);
    for (; this.#cursor < log.head; this.#cursor++) {
      const frame = log.at(this.#cursor);
      if (frame?.track.kind !== 'audio') continue;
      const header = log.headerAt(this.#cursor);
      if (header !== this.#header) this.#follow(header);
      this.#sender?.write(frame, header);
    }
    this.#sender?.report();
  }

  #leaveStream(): void {
    if (this.#stream === undefined) return;
    this.#stream = undefined;
    this.#header = undefined;
    this.#sender?.pause();
  }

  /** Chooses the format for what the stream is from here on. */
  #follow(header: Stream['header']): void {
    this.#header = header;
    const sounds = header.tracks.filter((track) => track.kind === 'audio');
    for (const track of sounds) {
      const format = formatFor(track, this.#formats);
      if (format === undefined) continue;
      if (this.#sender?.fits(track, format) !== true) {
        this.#sender = new BackChannelSender(track, format, this.#send!, random32);
      }
      this.#tell('talking', 'sound goes to the camera', { format: formatName(format) });
      return;
    }
    this.#sender = undefined;
    const codecs = sounds.map(({ codec, audio }) => (audio === undefined ? codec : `${codec}/${audio.sampleRate}`));
    this.#tell('mismatch', 'the sound of the stream is not in a format the camera takes, and is not sent', {
      codecs,
      formats: this.#formats.map(formatName),
    });
  }

  #tell(told: Told, text: string, details: Readonly<Record<string, unknown>> = {}): void {
    if (told === this.#told) return;
    this.#told = told;
    const { log } = this.#options;
    const line = { backChannel: this.#key, ...details };
    if (told === 'talking' || told === 'silent') log.info(line, text);
    else log.warn(line, text);
  }
}

/** 32 bits from the system's random source. */
function random32(): number {
  const bytes = nodeHandshakeCrypto.randomBytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}
