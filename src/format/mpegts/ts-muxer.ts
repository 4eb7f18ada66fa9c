import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import { equalBytes } from '../../wire/equal-bytes.ts';
import { type ElementaryForm, elementaryForm } from './elementary-writer.ts';
import { toTimestamp90k, writePesHeader } from './pes-packet.ts';
import { type ProgramMap, writeProgramAssociationSection, writeProgramMapSection } from './program-tables.ts';
import {
  type FirstPacketFacts,
  PAT_PID,
  packetCount,
  TS_PACKET_SIZE_BYTES,
  TS_PAYLOAD_SIZE_BYTES,
  writePackets,
  writePcrPacket,
} from './ts-packet.ts';

/** Default of `TsMuxerOptions.tableIntervalMs`. */
export const DEFAULT_TABLE_INTERVAL_MS = 500;
/** Most tracks one program map lists; with their descriptors they always fit into one section. */
export const MAX_TS_TRACKS = 32;

const TRANSPORT_STREAM_ID = 1;
const PROGRAM_NUMBER = 1;
const PMT_PID = 0x1001;
/** PID for "no PCR" (ISO/IEC 13818-1 §2.4.4.9). */
const NO_PCR_PID = 0x1fff;
/** A decoder wants a PCR every 100 ms (ISO/IEC 13818-1 §2.7.2). */
const PCR_INTERVAL_US = 100_000;
const NO_FACTS: FirstPacketFacts = { pcr90k: undefined, isRandomAccess: false };
const NO_OUTPUT: Uint8Array = new Uint8Array(0);

export interface TsMuxerOptions {
  /** Longest time on the stream's clock from one PAT and PMT to the next, in ms. Default 500. */
  readonly tableIntervalMs?: number;
}

/** A section as it stands in the payloads of whole packets: pointer field 0, the section, 0xff to the end. */
function padSection(section: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((1 + section.length) / TS_PAYLOAD_SIZE_BYTES) * TS_PAYLOAD_SIZE_BYTES);
  padded.set(section, 1);
  return padded.fill(0xff, 1 + section.length);
}

interface Slot {
  track: Track;
  form: ElementaryForm;
  continuityCounter: number;
}

/** Where a track stands in the list of slots: kind and id. */
function slotKey(track: Track): number {
  return (track.kind === 'video' ? 0 : 256) + track.trackId;
}

/**
 * Writes one program of a transport stream (ISO/IEC 13818-1), a frame at a time, each frame in PES packets of its own.
 * Frames must be given in the order they are to be sent. The clock (PCR) is the decode time of the first video track, or of the
 * first audio track when there is no video.
 */
export class TsMuxer {
  readonly #tableIntervalUs: number;
  #slots: ReadonlyMap<number, Slot> = new Map();
  #unsupported: readonly Track[] = [];
  #pcrPid = NO_PCR_PID;
  #version = -1;
  readonly #pat: Uint8Array;
  #pmt: Uint8Array = NO_OUTPUT;
  #patCounter = 0;
  #pmtCounter = 0;
  #lastTablesUs: number | undefined;
  #lastPcrUs: number | undefined;

  constructor(tracks: readonly Track[], options: TsMuxerOptions = {}) {
    this.#tableIntervalUs = (options.tableIntervalMs ?? DEFAULT_TABLE_INTERVAL_MS) * 1000;
    const programs = [{ programNumber: PROGRAM_NUMBER, pmtPid: PMT_PID }];
    this.#pat = padSection(writeProgramAssociationSection(TRANSPORT_STREAM_ID, programs));
    this.setTracks(tracks);
  }

  /** Tracks of the newest `setTracks` that a transport stream cannot carry; their frames give no bytes. */
  get unsupported(): readonly Track[] {
    return this.#unsupported;
  }

  /**
   * Takes the tracks as they are from now on. When the program map changes by it, its version goes up and it is written
   * again before the next frame; a new configuration of a track that keeps its codec only changes the parameter sets.
   */
  setTracks(tracks: readonly Track[]): void {
    const slots = new Map<number, Slot>();
    const unsupported: Track[] = [];
    for (const track of tracks) {
      const form = slots.size < MAX_TS_TRACKS ? elementaryForm(track) : undefined;
      if (form === undefined) {
        unsupported.push(track);
        continue;
      }
      const key = slotKey(track);
      const before = this.#slots.get(key);
      const continuityCounter = before?.form.stream.pid === form.stream.pid ? before.continuityCounter : 0;
      slots.set(key, { track, form, continuityCounter });
    }
    this.#slots = slots;
    this.#unsupported = unsupported;
    this.#describe();
  }

  /** PAT and PMT as whole packets, in a new buffer. Each call advances their counters. */
  writeTables(): Uint8Array {
    const out = new Uint8Array(this.#tablesSize());
    this.#putTables(out, 0);
    return out;
  }

  /**
   * The packets of one frame in a new buffer of exactly their size, with tables in front at video key frames, at the
   * first frame, after a change, and when the interval is over. Empty for a frame that cannot be carried.
   */
  mux(frame: Frame): Uint8Array {
    const slot = this.#slotOf(frame.track);
    if (slot === undefined) return NO_OUTPUT;
    const { dtsUs } = frame;
    const { stream, streamId } = slot.form;
    const payload = slot.form.write(frame);
    let payloadSize = 0;
    for (const part of payload) payloadSize += part.length;
    if (payloadSize === 0) return NO_OUTPUT;

    const header = writePesHeader(streamId, toTimestamp90k(frame.ptsUs), toTimestamp90k(dtsUs), payloadSize);
    const isPcrPid = stream.pid === this.#pcrPid;
    const first: FirstPacketFacts = {
      pcr90k: isPcrPid ? toTimestamp90k(dtsUs) : undefined,
      isRandomAccess: frame.isKeyFrame && (isPcrPid || frame.track.kind === 'video'),
    };
    const size = header.length + payloadSize;
    const tablesSize = this.#needsTables(frame) ? this.#tablesSize() : 0;
    const pcrSlot = isPcrPid ? undefined : this.#slotThatOwesPcr(dtsUs);
    const pcrSize = pcrSlot === undefined ? 0 : TS_PACKET_SIZE_BYTES;
    const out = new Uint8Array(tablesSize + pcrSize + packetCount(size, first) * TS_PACKET_SIZE_BYTES);

    if (tablesSize > 0) {
      this.#putTables(out, 0);
      this.#lastTablesUs = dtsUs;
    }
    if (pcrSlot !== undefined) {
      writePcrPacket(out, tablesSize, this.#pcrPid, (pcrSlot.continuityCounter + 15) & 15, toTimestamp90k(dtsUs));
    }
    if (isPcrPid || pcrSlot !== undefined) this.#lastPcrUs = dtsUs;
    slot.continuityCounter = writePackets(
      out,
      tablesSize + pcrSize,
      stream.pid,
      slot.continuityCounter,
      [header, ...payload],
      size,
      first,
    );
    return out;
  }

  #slotOf(track: Track): Slot | undefined {
    const slot = track.kind === 'data' ? undefined : this.#slots.get(slotKey(track));
    if (slot === undefined || slot.track === track) return slot;
    // The frame knows a newer configuration than setTracks did: as long as the program map stays true, follow it.
    if (slot.track.codec !== track.codec) return undefined;
    const form = elementaryForm(track);
    if (form === undefined) return undefined;
    slot.track = track;
    slot.form = form;
    return slot;
  }

  #needsTables(frame: Frame): boolean {
    const last = this.#lastTablesUs;
    if (last === undefined || (frame.track.kind === 'video' && frame.isKeyFrame)) return true;
    return Math.abs(frame.dtsUs - last) >= this.#tableIntervalUs;
  }

  /** The clock's slot when its last PCR lies too far back, as with slow or paused video. */
  #slotThatOwesPcr(nowUs: number): Slot | undefined {
    if (this.#lastPcrUs === undefined || nowUs - this.#lastPcrUs < PCR_INTERVAL_US) return undefined;
    for (const slot of this.#slots.values()) if (slot.form.stream.pid === this.#pcrPid) return slot;
    return undefined;
  }

  #describe(): void {
    const slots = [...this.#slots.values()];
    const clock = slots.find((slot) => slot.track.kind === 'video') ?? slots[0];
    const pcrPid = clock?.form.stream.pid ?? NO_PCR_PID;
    const map: ProgramMap = {
      programNumber: PROGRAM_NUMBER,
      version: 0,
      pcrPid,
      streams: slots.map((slot) => slot.form.stream),
    };
    if (pcrPid !== this.#pcrPid) this.#lastPcrUs = undefined;
    this.#pcrPid = pcrPid;
    // Written with the old version: equal bytes mean that nothing changed.
    if (this.#version >= 0) {
      const again = padSection(writeProgramMapSection({ ...map, version: this.#version }));
      if (equalBytes(again, this.#pmt)) return;
    }
    this.#version = (this.#version + 1) & 31;
    this.#pmt = padSection(writeProgramMapSection({ ...map, version: this.#version }));
    this.#lastTablesUs = undefined;
  }

  #tablesSize(): number {
    return ((this.#pat.length + this.#pmt.length) / TS_PAYLOAD_SIZE_BYTES) * TS_PACKET_SIZE_BYTES;
  }

  #putTables(out: Uint8Array, at: number): void {
    const { length } = this.#pat;
    this.#patCounter = writePackets(out, at, PAT_PID, this.#patCounter, [this.#pat], length, NO_FACTS);
    const next = at + TS_PACKET_SIZE_BYTES;
    this.#pmtCounter = writePackets(out, next, PMT_PID, this.#pmtCounter, [this.#pmt], this.#pmt.length, NO_FACTS);
  }
}
