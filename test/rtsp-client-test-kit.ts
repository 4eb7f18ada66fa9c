/** A scripted RTSP server for client sessions, in virtual time. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { RtspClientEvent, RtspClientTrack } from '../src/protocol/rtsp/client-events.ts';
import type { AuthenticationCrypto } from '../src/protocol/rtsp/digest.ts';
import { RtspClientSession, type RtspClientSessionOptions } from '../src/protocol/rtsp/rtsp-client-session.ts';
import type { RtspRequest } from '../src/protocol/rtsp/rtsp-message.ts';
import { RtspMessageReader } from '../src/protocol/rtsp/rtsp-message-reader.ts';
import { writeRtspResponse } from '../src/protocol/rtsp/rtsp-message-writer.ts';
import { parseRtspUrl } from '../src/protocol/rtsp/rtsp-url.ts';
import type { RtspTransport } from '../src/protocol/rtsp/transport-header.ts';

/** Hashes of the machine. */
export const crypto: AuthenticationCrypto = {
  hash: (algorithm, text) => createHash(algorithm.replace('-', '').toLowerCase()).update(text).digest('hex'),
  isEqual: (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b)),
};

/** A camera with picture, sound, and a back channel. */
export const SDP: string = [
  'v=0',
  's=camera',
  'a=control:*',
  'm=video 0 RTP/AVP 96',
  'a=control:trackID=1',
  'm=audio 0 RTP/AVP 0',
  'a=control:trackID=2',
  'm=audio 0 RTP/AVP 0',
  'a=control:trackID=3',
  'a=sendonly',
].join('\n');

/** Two channels. */
export const TCP: RtspTransport = {
  profile: 'RTP/AVP',
  lowerTransport: 'TCP',
  delivery: 'unicast',
  interleaved: { first: 0, last: 1 },
};
/** Two ports. */
export const UDP: RtspTransport = { profile: 'RTP/AVP', delivery: 'unicast', clientPort: { first: 5000, last: 5001 } };

/** What a scripted server answers; 200 without a status code. */
export interface Answer {
  readonly statusCode?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
}

/** What a server says to a request; undefined for nothing at all. */
export type Script = (request: RtspRequest) => Answer | undefined;

/** A well-behaved server; `changes` take precedence where they say something. */
export function script(changes: (request: RtspRequest) => Answer | undefined | 'usual' = () => 'usual'): Script {
  return (request) => {
    const changed = changes(request);
    if (changed !== 'usual') return changed;
    switch (request.method) {
      case 'OPTIONS':
        return { headers: [['Public', 'OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER']] };
      case 'DESCRIBE':
        return { headers: [['Content-Base', 'rtsp://h/a/']], body: SDP };
      case 'SETUP':
        return {
          headers: [
            ['Transport', request.headers.get('Transport')!],
            ['Session', '1234;timeout=20'],
          ],
        };
      case 'PLAY':
        return {
          headers: [
            ['Range', request.headers.get('Range') ?? 'npt=7.000-'],
            ['RTP-Info', 'url=rtsp://h/a/trackID=1;seq=5;rtptime=9'],
          ],
        };
      default:
        return {};
    }
  };
}

/** A session and a server on one connection, in virtual time. */
export class Pair {
  nowMs = 1000;
  readonly session: RtspClientSession;
  readonly requests: RtspRequest[] = [];
  /** Answers to requests of the server. */
  readonly replies: number[] = [];
  readonly events: Exclude<RtspClientEvent, { type: 'send' }>[] = [];
  readonly #reader = new RtspMessageReader();
  readonly #script: Script;

  constructor(answers: Script = script(), options: Partial<RtspClientSessionOptions> & { readonly at?: string } = {}) {
    this.#script = answers;
    const url = parseRtspUrl(options.at ?? 'rtsp://h/a')!;
    this.session = new RtspClientSession({ url, crypto, cnonce: '0a4f113b', ...options });
  }

  /** Runs what the session said, and everything that follows from it. */
  run(events: readonly RtspClientEvent[]): this {
    const sent: Uint8Array[] = [];
    for (const event of events) {
      if (event.type === 'send') sent.push(event.bytes);
      else this.events.push(event);
    }
    for (const message of sent.flatMap((bytes) => this.#reader.receive(bytes))) {
      if (message.type === 'response') this.replies.push(message.statusCode);
      if (message.type !== 'request') continue;
      this.requests.push(message);
      const answer = this.#script(message);
      if (answer === undefined) continue;
      const { statusCode = 200, headers = [], body } = answer;
      const all = [['CSeq', message.headers.get('CSeq')!] as const, ...headers];
      this.say(writeRtspResponse({ statusCode, headers: all, ...(body === undefined ? {} : { body }) }));
    }
    return this;
  }

  /** The server sends something. */
  say(bytes: Uint8Array): this {
    return this.run(this.session.receive(bytes, this.nowMs));
  }

  start(): this {
    return this.run(this.session.start(this.nowMs));
  }

  setUp(
    transports: readonly RtspTransport[] = [TCP],
    tracks: readonly RtspClientTrack[] = this.tracks.slice(0, 2),
  ): this {
    return this.run(
      this.session.setUp(
        tracks.map((track) => ({ track, transports })),
        this.nowMs,
      ),
    );
  }

  play(): this {
    return this.run(this.session.play({}, this.nowMs));
  }

  /** Lets time go by, stopping wherever the session wants to be called. */
  wait(ms: number): this {
    const end = this.nowMs + ms;
    for (let turns = 0; ; turns++) {
      const due = this.session.nextTimeoutMs();
      if (due === undefined || due > end) break;
      if (turns > 1000) throw new RangeError('the session wants to be called again and again');
      this.nowMs = Math.max(this.nowMs, due);
      this.run(this.session.handleTimeout(this.nowMs));
    }
    this.nowMs = end;
    return this;
  }

  get tracks(): readonly RtspClientTrack[] {
    const found = this.events.findLast((event) => event.type === 'described');
    if (found === undefined) throw new RangeError('nothing was described');
    return found.tracks;
  }

  get asked(): string[] {
    return this.requests.map(({ method, url }) => `${method} ${url}`);
  }

  get methods(): string[] {
    return this.requests.map(({ method }) => method);
  }

  get heard(): string[] {
    return this.events.map((event) =>
      event.type === 'failed' ? `${event.error.code} ${event.statusCode}` : event.type,
    );
  }
}
