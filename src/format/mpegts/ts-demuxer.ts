import type { Track } from '../../codec/track.ts';
import { equalBytes } from '../../wire/equal-bytes.ts';
import type { ElementaryReader, UnitTimes } from './elementary-reader.ts';
import { PacketSplitter } from './packet-splitter.ts';
import { PesAssembler, type PesSink } from './pes-assembler.ts';
import type { PesHeader } from './pes-packet.ts';
import {
  type ElementaryStream,
  type ProgramMap,
  parseProgramAssociationSection,
  parseProgramMapSection,
} from './program-tables.ts';
import { SectionAssembler } from './section-assembler.ts';
import { readingOf, type StreamReading } from './stream-readers.ts';
import { TimestampUnwrapper } from './timestamp-unwrapper.ts';
import type { TsDemuxEvent, TsMalformedReason } from './ts-demux-event.ts';
import { NULL_PID, PAT_PID, TS_PACKET_SIZE_BYTES } from './ts-packet.ts';

/** Most elementary streams of the program that are followed. */
export const MAX_DEMUXED_STREAMS = 32;
/** Default of `TsDemuxerOptions.maxPesSizeBytes`: 8 MiB. */
export const DEFAULT_MAX_PES_SIZE_BYTES: number = 8 * 1024 * 1024;
/** Largest audio PES packet, in bytes; the format itself wants a 16-bit length there. */
export const MAX_AUDIO_PES_SIZE_BYTES = 0x1_0005;

export interface TsDemuxerOptions {
  /** Which program to take. Default: the first in the program association table. */
  readonly programNumber?: number;
  /** Largest video PES packet in bytes, default 8 MiB: a larger one is dropped and told. */
  readonly maxPesSizeBytes?: number;
}

interface StreamState {
  readonly stream: ElementaryStream;
  readonly trackId: number;
  readonly reader: ElementaryReader;
  readonly assembler: PesAssembler;
  readonly sink: PesSink;
}

/** Continuity counters by PID: the last one seen. */
type Counters = Map<number, number>;

/**
 * Reads one program of an MPEG-2 transport stream (ISO/IEC 13818-1) cut anywhere: H.264, H.265, AAC in ADTS, MP3, AC-3,
 * E-AC-3 and Opus. Loss costs the units it hits; the demuxer goes on with the next.
 *
 * Times are the stream's own, made continuous over the 33-bit wrap and never negative; other jumps stay as they are for
 * the Timeline. Left out: packets of 192 and 204 bytes, scrambling, access units that share a PES packet.
 */
export class TsDemuxer {
  readonly #programNumber: number | undefined;
  readonly #maxPesSizeBytes: number;
  readonly #splitter: PacketSplitter = new PacketSplitter();
  readonly #times: TimestampUnwrapper = new TimestampUnwrapper();
  readonly #counters: Counters = new Map();
  readonly #patAssembler: SectionAssembler = new SectionAssembler();
  #pmtAssembler: SectionAssembler = new SectionAssembler();
  #pmtPid: number | undefined;
  #program: number | undefined;
  #pmt: Uint8Array = new Uint8Array(0);
  #pcrPid = NULL_PID;
  #streams: Map<number, StreamState> = new Map();
  #events: TsDemuxEvent[] = [];

  constructor(options: TsDemuxerOptions = {}) {
    this.#programNumber = options.programNumber;
    this.#maxPesSizeBytes = options.maxPesSizeBytes ?? DEFAULT_MAX_PES_SIZE_BYTES;
  }

  /** Takes the next bytes of the stream; `bytes` is not kept. Never throws. */
  receive(bytes: Uint8Array): TsDemuxEvent[] {
    this.#splitter.receive(bytes, this.#packetSink);
    return this.#take();
  }

  /** The stream has ended: gives what had waited for its end. */
  flush(): TsDemuxEvent[] {
    this.#splitter.flush(this.#packetSink);
    for (const { assembler, sink } of this.#streams.values()) assembler.end(sink);
    return this.#take();
  }

  #take(): TsDemuxEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #malformed(reason: TsMalformedReason): void {
    this.#events.push({ type: 'malformed', reason });
  }

  readonly #packetSink = {
    onPacket: (packet: Uint8Array): void => this.#onPacket(packet),
    onLostSync: (): void => this.#malformed('lost-sync'),
  };

  #onPacket(packet: Uint8Array): void {
    const pid = ((packet[1]! & 0x1f) << 8) | packet[2]!;
    const state = this.#streams.get(pid);
    const isTable = pid === PAT_PID || pid === this.#pmtPid;
    if (state === undefined && !isTable && pid !== this.#pcrPid) return;
    if ((packet[1]! & 0x80) !== 0) {
      this.#malformed('transport-error');
      return;
    }
    const flags = packet[3]!;
    let payloadAt = 4;
    let isDiscontinuity = false;
    if ((flags & 0x20) !== 0) {
      const length = packet[4]!;
      payloadAt = 5 + length;
      if (payloadAt > TS_PACKET_SIZE_BYTES) {
        this.#malformed('bad-adaptation-field');
        return;
      }
      if (length > 0) {
        isDiscontinuity = (packet[5]! & 0x80) !== 0;
        if ((packet[5]! & 0x10) !== 0 && length >= 7 && pid === this.#pcrPid) this.#onPcr(packet);
      }
    }
    if ((flags & 0x10) === 0 || (state === undefined && !isTable)) return;
    if ((flags & 0xc0) !== 0) {
      this.#events.push({ type: 'ignored', reason: 'scrambled-packet' });
      return;
    }
    const order = this.#checkCounter(pid, flags & 0x0f, isDiscontinuity);
    if (order === 'repeated') return;
    const isUnitStart = (packet[1]! & 0x40) !== 0;
    const payload = packet.subarray(payloadAt);
    if (state !== undefined) {
      if (order === 'gap') this.#onGap(state);
      state.assembler.push(payload, isUnitStart, state.sink);
      return;
    }
    const assembler = pid === PAT_PID ? this.#patAssembler : this.#pmtAssembler;
    if (order === 'gap') assembler.reset();
    assembler.push(payload, isUnitStart, {
      onSection: (section) => (pid === PAT_PID ? this.#onPat(section) : this.#onPmt(section)),
      onBadSection: (reason) => this.#malformed(reason),
    });
  }

  /** ISO/IEC 13818-1 §2.4.3.3: the counter goes up by one with each payload; a packet may be sent twice. */
  #checkCounter(pid: number, counter: number, isDiscontinuity: boolean): 'next' | 'repeated' | 'gap' {
    const last = this.#counters.get(pid);
    this.#counters.set(pid, counter);
    if (last === undefined || isDiscontinuity || counter === ((last + 1) & 15)) return 'next';
    return counter === last ? 'repeated' : 'gap';
  }

  #onGap(state: StreamState): void {
    state.assembler.reset();
    state.reader.reset();
    this.#malformed('packets-lost');
  }

  #onPcr(packet: Uint8Array): void {
    const base =
      packet[6]! * 2 ** 25 + ((packet[7]! << 17) | (packet[8]! << 9) | (packet[9]! << 1) | (packet[10]! >>> 7));
    const extension = ((packet[10]! & 1) << 8) | packet[11]!;
    this.#events.push({ type: 'clock', timeUs: this.#times.toUs(base) + Math.floor(extension / 27) });
  }

  #onPat(section: Uint8Array): void {
    const programs = parseProgramAssociationSection(section);
    if (programs === undefined) return;
    const wanted = this.#programNumber;
    const program = wanted === undefined ? programs[0] : programs.find((one) => one.programNumber === wanted);
    if (program === undefined || (program.pmtPid === this.#pmtPid && program.programNumber === this.#program)) return;
    this.#pmtPid = program.pmtPid;
    this.#program = program.programNumber;
    this.#pmtAssembler = new SectionAssembler();
    this.#pmt = new Uint8Array(0);
    this.#counters.delete(program.pmtPid);
  }

  #onPmt(section: Uint8Array): void {
    if (equalBytes(section, this.#pmt)) return;
    const map = parseProgramMapSection(section);
    if (map === undefined) {
      this.#malformed('bad-section');
      return;
    }
    if (map.programNumber !== this.#program) return;
    this.#pmt = section.slice();
    this.#follow(map);
  }

  #follow(map: ProgramMap): void {
    const before = this.#streams;
    const streams = new Map<number, StreamState>();
    const counts = { video: 0, audio: 0 };
    this.#pcrPid = map.pcrPid;
    for (const stream of map.streams) {
      if (streams.has(stream.pid) || stream.pid === PAT_PID || stream.pid === this.#pmtPid) continue;
      if (streams.size === MAX_DEMUXED_STREAMS) {
        this.#events.push({ type: 'ignored', reason: 'too-many-streams' });
        break;
      }
      const reading = readingOf(stream);
      if (reading === undefined) {
        this.#events.push({ type: 'ignored', reason: 'unknown-stream-type' });
        continue;
      }
      const trackId = counts[reading.kind]++;
      const known = before.get(stream.pid);
      const isKnown = known !== undefined && isSameStream(known, stream, trackId);
      streams.set(stream.pid, isKnown ? known : this.#begin(stream, reading, trackId));
    }
    this.#streams = streams;
    for (const [pid, state] of before) {
      if (streams.get(pid) === state) continue;
      state.assembler.end(state.sink);
      this.#counters.delete(pid);
      const track: Track | undefined = state.reader.track;
      if (track !== undefined) this.#events.push({ type: 'end-of-sequence', track });
    }
  }

  #begin(stream: ElementaryStream, reading: StreamReading, trackId: number): StreamState {
    const maxSize = reading.kind === 'video' ? this.#maxPesSizeBytes : MAX_AUDIO_PES_SIZE_BYTES;
    const reader = reading.begin(trackId);
    const sink: PesSink = {
      onPes: (header, payload) => reader.push(payload, this.#timesOf(header), this.#events),
      onBadPes: (reason) => {
        reader.reset();
        this.#malformed(reason);
      },
    };
    return { stream, trackId, reader, assembler: new PesAssembler(maxSize), sink };
  }

  #timesOf(header: PesHeader): UnitTimes | undefined {
    const { pts90k, dts90k } = header;
    if (pts90k === undefined || dts90k === undefined) return undefined;
    const dtsUs = this.#times.toUs(dts90k);
    return { dtsUs, ptsUs: this.#times.toUs(pts90k) };
  }
}

function isSameStream(state: StreamState, stream: ElementaryStream, trackId: number): boolean {
  return (
    state.stream.streamType === stream.streamType &&
    state.trackId === trackId &&
    equalBytes(state.stream.descriptors, stream.descriptors)
  );
}
