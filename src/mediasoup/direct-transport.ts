import type { AppData } from './app-data.ts';
import { UnsupportedError } from './errors.ts';
import { TransportImpl, type TransportImplOptions } from './transport.ts';
import type { DirectTransportDump, DirectTransportStat } from './transport-types.ts';

/** A path to the application itself: packets and messages come and go by methods and events. */
export class DirectTransportImpl<A extends AppData = AppData> extends TransportImpl<A> {
  /** @private */
  constructor(options: TransportImplOptions<A>) {
    super(options);
  }

  get type(): 'direct' {
    return 'direct';
  }

  override async dump(): Promise<DirectTransportDump> {
    return super.dump();
  }

  override async getStats(): Promise<DirectTransportStat[]> {
    return (await super.getStats()) as DirectTransportStat[];
  }

  /** Does nothing: there is nobody to connect to. */
  override async connect(): Promise<void> {}

  /** @throws UnsupportedError always */
  override async setMaxIncomingBitrate(_bitrate: number): Promise<void> {
    throw new UnsupportedError('setMaxIncomingBitrate() not implemented in DirectTransport');
  }

  /** @throws UnsupportedError always */
  override async setMaxOutgoingBitrate(_bitrate: number): Promise<void> {
    throw new UnsupportedError('setMaxOutgoingBitrate() not implemented in DirectTransport');
  }

  /** @throws UnsupportedError always */
  override async setMinOutgoingBitrate(_bitrate: number): Promise<void> {
    throw new UnsupportedError('setMinOutgoingBitrate() not implemented in DirectTransport');
  }

  /**
   * Sends an RTCP packet to the router.
   * @throws TypeError when it is no bytes
   */
  sendRtcp(rtcpPacket: Buffer): void {
    if (!(rtcpPacket instanceof Uint8Array)) throw new TypeError('rtcpPacket must be a Buffer');
    this.channel.notify('transport.sendRtcp', this.internal, undefined, rtcpPacket);
  }

  protected override notified(event: string, _data: unknown, payload: Uint8Array | undefined): boolean {
    if (event !== 'rtcp' || payload === undefined) return false;
    this.tell('rtcp', Buffer.from(payload));
    return true;
  }
}
