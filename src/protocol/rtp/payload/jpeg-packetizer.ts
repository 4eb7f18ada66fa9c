import { parseBaselineJpeg } from '../../../codec/jpeg/baseline-jpeg.ts';
import { Q_WITH_TABLES } from './jpeg-quantizers.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';

const MAIN_HEADER_BYTES = 8;
const RESTART_HEADER_BYTES = 4;
const TABLES_HEADER_BYTES = 4;

/** Largest side that 8 bits in units of 8 samples tell (RFC 2435 §3.1.5). */
export const MAX_JPEG_SIDE = 2040;

/** Largest scan that 24 bits of offset reach. */
const MAX_SCAN_BYTES = 0xff_ffff;

const TYPE_422 = 0;
const TYPE_420 = 1;
/** Added to the type of images with restart markers. */
const WITH_RESTARTS = 64;

/** F, L and a count of all ones: the packet does not begin and end with a restart interval (§3.1.7). */
const RESTARTS_ANYWHERE = 0xffff;

/**
 * Motion JPEG (RFC 2435), the tables sent with each image. Images RTP has no form for are not sent: other than baseline, 4:2:0
 * or 4:2:2, with Huffman tables of their own, or above 2040 samples a side. Sides that are no multiple of 8 are rounded up.
 *
 *     type-specific(8)=0 fragment offset(24)  type(8) Q(8) width/8(8) height/8(8)
 *     types 64–127: restart interval(16) F(1) L(1) restart count(14)
 *     first packet: MBZ(8) precision(8) length(16) quantization tables
 */
export class JpegPacketizer implements Packetizer {
  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    const image = parseBaselineJpeg(payload);
    if (image === undefined || image.scan.length === 0 || image.scan.length > MAX_SCAN_BYTES) return;
    if (image.width > MAX_JPEG_SIDE || image.height > MAX_JPEG_SIDE) return;
    const { scan, restartInterval, luminanceQuantizers, chrominanceQuantizers } = image;
    const type = (image.is420 ? TYPE_420 : TYPE_422) + (restartInterval > 0 ? WITH_RESTARTS : 0);
    const headerBytes = MAIN_HEADER_BYTES + (restartInterval > 0 ? RESTART_HEADER_BYTES : 0);
    const tableBytes = luminanceQuantizers.length + chrominanceQuantizers.length;
    let room = out.maxPayloadSize - headerBytes - TABLES_HEADER_BYTES - tableBytes;
    // Tables must not be cut: there is nothing to be done with packets this small.
    if (room <= 0) return;
    for (let at = 0; at < scan.length; ) {
      const end = Math.min(at + room, scan.length);
      out.open();
      out.u32(at);
      out.u8(type);
      out.u8(Q_WITH_TABLES);
      out.u8((image.width + 7) >>> 3);
      out.u8((image.height + 7) >>> 3);
      if (restartInterval > 0) {
        out.u16(restartInterval);
        out.u16(RESTARTS_ANYWHERE);
      }
      if (at === 0) {
        // Bits of 1 for tables of 16 bits, the first table in the lowest.
        out.u16((luminanceQuantizers.length > 64 ? 1 : 0) | (chrominanceQuantizers.length > 64 ? 2 : 0));
        out.u16(tableBytes);
        out.raw(luminanceQuantizers);
        out.raw(chrominanceQuantizers);
      }
      out.raw(scan, at, end);
      out.close(end === scan.length);
      at = end;
      room = out.maxPayloadSize - headerBytes;
    }
  }
}
