import { TcpFrameReader, writeTcpFrame } from '../../src/protocol/ice/tcp-framing.ts';
import { joinBytes } from '../../src/wire/join-bytes.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'rfc4571';

const MAX_FRAME_BYTES = 2000;

/** Framed packets: the same wherever the stream is cut, never longer than allowed, and written as they were read. */
export function run(bytes: Uint8Array): void {
  const whole = new TcpFrameReader(MAX_FRAME_BYTES);
  const packets = whole.read(bytes);
  const pieces = new TcpFrameReader(MAX_FRAME_BYTES);
  const others: Uint8Array[] = [];
  const step = 1 + (bytes[0] ?? 0);
  for (let at = 0; at < bytes.length; at += step) others.push(...pieces.read(bytes.subarray(at, at + step)));
  if (packets.length !== others.length || whole.error?.code !== pieces.error?.code) throw new RangeError('cuts matter');
  for (const [i, packet] of packets.entries()) {
    if (packet.length === 0 || packet.length > MAX_FRAME_BYTES) throw new RangeError('a packet out of bounds');
    expectSameBytes(others[i], packet, 'packets');
  }
  const again = new TcpFrameReader().read(joinBytes([new Uint8Array(), ...packets.map(writeTcpFrame)]));
  if (again.length !== packets.length) throw new RangeError('written packets are not read');
}
