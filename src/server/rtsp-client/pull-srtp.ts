import { random32 } from '../../io/node-crypto.ts';
import { writeKeyManagementHeader } from '../../protocol/mikey/key-management.ts';
import type { MikeySrtp } from '../../protocol/mikey/mikey-srtp.ts';
import { keyMessage } from '../rtsp/srtp-protection.ts';
import { droppedOf, ownSsrc, SrtpReception } from '../rtsp/srtp-reception.ts';

interface ProtectedTrack {
  readonly offer: MikeySrtp;
  readonly reception: SrtpReception;
}

/** The tracks of one pulled stream that come as SRTP. Those that do not pass as they are. */
export class PullSrtp {
  /** Of our reports: no sender under the same key has it. */
  readonly ssrc: number;
  readonly #tracks: readonly (ProtectedTrack | undefined)[];

  /** @param offers the key of each track, undefined for those in clear */
  constructor(offers: readonly (MikeySrtp | undefined)[]) {
    this.ssrc = ownSsrc(random32, offers);
    this.#tracks = offers.map((offer) => offer && { offer, reception: new SrtpReception(offer) });
  }

  /** Packets that were dropped because their tag was not right. */
  get unauthentic(): number {
    return droppedOf(this.#tracks.flatMap((track) => track?.reception ?? [])).unauthentic;
  }

  /**
   * Headers for the SETUP of a track. GStreamer wants to be told under which key our reports come, and for which SSRC;
   * live555 takes the key of its description for them, which this is.
   */
  headersOf(track: number, url: string): readonly (readonly [name: string, value: string])[] {
    const offer = this.#tracks[track]?.offer;
    if (offer === undefined) return [];
    const message = keyMessage(offer.keys, new Map([[this.ssrc, 0]]));
    return [['KeyMgmt', writeKeyManagementHeader({ uri: url, message })]];
  }

  /** A packet in clear, valid until the next one of the track; undefined when it was dropped. */
  unprotect(track: number, bytes: Uint8Array, isRtcp: boolean): Uint8Array | undefined {
    const reception = this.#tracks[track]?.reception;
    if (reception === undefined) return bytes;
    return isRtcp ? reception.unprotectRtcp(bytes) : reception.unprotect(bytes);
  }

  /** A report of ours as it is sent; empty when the key is used up. */
  protectRtcp(track: number, packet: Uint8Array): Uint8Array {
    return this.#tracks[track]?.reception.protectRtcp(packet) ?? packet;
  }
}
