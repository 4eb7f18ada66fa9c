import type { DatagramSocket } from '../../../src/io/datagram-socket.ts';
import { openUdpPortPair, type UdpPortPair } from '../../../src/io/udp-port-pair.ts';
import { writeReceiverReport } from '../../../src/protocol/rtp/rtcp-report.ts';
import { ByteWriter } from '../../../src/wire/byte-writer.ts';

/** The receiving end of one track over UDP: what came on its two ports. */
export class UdpPeer {
  readonly rtp: Uint8Array[] = [];
  readonly rtcp: Uint8Array[] = [];
  readonly #pair: UdpPortPair;

  private constructor(pair: UdpPortPair) {
    this.#pair = pair;
    pair.rtp.onMessage = (bytes) => this.rtp.push(bytes);
    pair.rtcp.onMessage = (bytes) => this.rtcp.push(bytes);
  }

  static async open(): Promise<UdpPeer> {
    for (;;) {
      const port = 20_000 + 2 * Math.floor(Math.random() * 5_000);
      try {
        return new UdpPeer(await openUdpPortPair(port, { host: '127.0.0.1' }));
      } catch {
        // Another test has it.
      }
    }
  }

  get port(): number {
    return this.#pair.rtp.port;
  }

  get transport(): { readonly Transport: string } {
    return { Transport: `RTP/AVP;unicast;client_port=${this.port}-${this.port + 1}` };
  }

  /** Sends an empty receiver report from the RTCP port, or from another socket. */
  report(serverPort: number, from: DatagramSocket = this.#pair.rtcp): void {
    const out = new ByteWriter();
    writeReceiverReport({ ssrc: 1, reports: [] }, out);
    from.send(out.finish(), from.target('127.0.0.1', serverPort));
  }

  /** Sends a packet from the RTP port. */
  sendRtp(serverPort: number, packet: Uint8Array): void {
    this.#pair.rtp.send(packet, this.#pair.rtp.target('127.0.0.1', serverPort));
  }

  close(): Promise<void> {
    return this.#pair.close();
  }
}

/** RTCP packet types of a compound, in order. */
export function rtcpTypes(compound: Uint8Array): number[] {
  const types: number[] = [];
  for (let at = 0; at + 4 <= compound.length; at += 4 * (((compound[at + 2]! << 8) | compound[at + 3]!) + 1)) {
    types.push(compound[at + 1]!);
  }
  return types;
}
