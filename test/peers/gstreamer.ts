import type { DemuxedPacket } from './demuxed-packet.ts';
import type { PeerCommand } from './peer-process.ts';

/**
 * Plays with a GStreamer pipeline and writes what its demuxer hands on to two files, for `parseGdp`:
 * - `rtmpsrc` is librtmp's source. When the server closes it connects anew by itself (GStreamer 1.22, whatever the
 *   server), so it stops after `buffers` reads of 4096 bytes;
 * - `rtmp2src` is GStreamer's own client; `flv` and `ts` come over HTTP by `souphttpsrc`. They play to the end.
 */
export function gstreamerRecord(options: {
  readonly source: 'rtmpsrc' | 'rtmp2src' | 'flv' | 'ts';
  readonly url: string;
  readonly videoFile: string;
  readonly audioFile: string;
  /** Only for `rtmpsrc`. */
  readonly buffers?: number;
  readonly timeoutMs?: number;
}): PeerCommand {
  const { source, url, videoFile, audioFile, buffers = 25, timeoutMs = 60_000 } = options;
  const elements = {
    rtmpsrc: ['rtmpsrc', `num-buffers=${buffers}`, `location=${url} live=1`],
    rtmp2src: ['rtmp2src', `location=${url}`],
    flv: ['souphttpsrc', 'is-live=true', `location=${url}`],
    ts: ['souphttpsrc', 'is-live=true', `location=${url}`],
  }[source];
  // What the demuxer found out about its streams decides which branch a pad goes to.
  const demux = source === 'ts' ? 'tsdemux' : 'flvdemux';
  const video = ['d.', '!', 'video/x-h264', '!', 'queue', '!', 'gdppay', '!', 'filesink', `location=${videoFile}`];
  const audio = ['d.', '!', 'audio/mpeg', '!', 'queue', '!', 'gdppay', '!', 'filesink', `location=${audioFile}`];
  return {
    program: 'gst-launch-1.0',
    args: ['-q', ...elements, '!', demux, 'name=d', ...video, ...audio],
    timeoutMs,
  };
}

const GDP_HEADER_SIZE_BYTES = 62;
const GDP_TYPE_BUFFER = 1;
const GST_BUFFER_FLAG_DELTA_UNIT = 0x2000;
const GST_CLOCK_TIME_NONE = 0xffff_ffff_ffff_ffffn;

/** Takes apart what `gdppay` writes (GStreamer Data Protocol 1.0): the buffers, without caps and events. */
export function parseGdp(file: Uint8Array): DemuxedPacket[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const buffers: DemuxedPacket[] = [];
  for (let at = 0; at + GDP_HEADER_SIZE_BYTES <= file.length; ) {
    const type = view.getUint16(at + 4);
    const size = view.getUint32(at + 6);
    const end = at + GDP_HEADER_SIZE_BYTES + size;
    if (type === GDP_TYPE_BUFFER) {
      const pts = view.getBigUint64(at + 10);
      const dts = view.getBigUint64(at + 44);
      buffers.push({
        ptsMs: Number(pts) / 1_000_000,
        dtsMs: Number(dts === GST_CLOCK_TIME_NONE ? pts : dts) / 1_000_000,
        isKeyFrame: (view.getUint16(at + 42) & GST_BUFFER_FLAG_DELTA_UNIT) === 0,
        data: file.subarray(at + GDP_HEADER_SIZE_BYTES, end),
      });
    }
    at = end;
  }
  return buffers;
}
