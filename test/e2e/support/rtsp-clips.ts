import { words } from '../../peers/peer-process.ts';
import { asTheyAre, h264Slices, h265Slices, jpegScans, type Normalise, vops } from './coded-bytes.ts';

/** One track of a clip: how programs name it, and how its bytes compare. */
export interface ClipTrack {
  readonly kind: 'video' | 'audio';
  /** For people. */
  readonly name: string;
  /** What GStreamer reads its packets with, up to plain frames; absent where version 1.22 can't. */
  readonly depayloader?: string;
  /** What GStreamer puts between a Matroska file and `rtspclientsink`. */
  readonly parser: string;
  readonly normalise: Normalise;
  /** FFmpeg packs several frames into a packet, and never sends the last one it has begun. */
  readonly isHeldBack: boolean;
  /**
   * When it comes by RTP, ffmpeg 5.1 finds no key frames in it, or no decode times where there are B-frames: mpv leaves out
   * what it can't record for that, so what it shows is compared.
   */
  readonly isShownByMpv?: true;
  /** FFmpeg's bitstream filter from what Matroska holds to what RTP players see. */
  readonly bitstreamFilter?: string;
}

/** A short film every program of the matrix sends and plays: one or two tracks. */
export interface Clip {
  readonly name: string;
  readonly tracks: readonly ClipTrack[];
  /** FFmpeg's inputs and encoders; absent where GStreamer makes it. */
  readonly encode?: readonly string[];
  /** GStreamer's pipeline up to the file, where ffmpeg has no encoder, and what a file begins with that has none of it. */
  readonly pipeline?: { readonly elements: string; readonly magic: string };
  /** Extension of the file, default `mkv`. */
  readonly extension?: string;
  /** What GStreamer reads the file with, up to `rtspclientsink`; by default a Matroska demuxer and the tracks' parsers. */
  readonly source?: string;
  /** Programs that can't send it. */
  readonly notSentBy?: 'ffmpeg' | 'gstreamer';
}

/** Key frames are a second apart. */
const SECONDS = 4;
const picture = (rate: number): string => `-f lavfi -i testsrc2=size=160x120:rate=${rate}:duration=${SECONDS}`;
const SOUND = `-f lavfi -i sine=frequency=440:beep_factor=4:duration=${SECONDS}`;

function video(name: string, depayloader: string, parser: string, normalise: Normalise = asTheyAre): ClipTrack {
  return { kind: 'video', name, depayloader, parser, normalise, isHeldBack: false };
}

function audio(name: string, depayloader: string, parser: string): ClipTrack {
  return { kind: 'audio', name, depayloader, parser, normalise: asTheyAre, isHeldBack: true };
}

function both(encoders: string, rate = 15): readonly string[] {
  return words(`${picture(rate)} ${SOUND} -pix_fmt yuv420p ${encoders}`);
}

const BYTE_STREAM = 'stream-format=byte-stream,alignment=au';
const H264: ClipTrack = {
  ...video('H.264', `rtph264depay ! video/x-h264,${BYTE_STREAM}`, 'h264parse', h264Slices),
  isShownByMpv: true,
  bitstreamFilter: 'h264_mp4toannexb',
};
const H265: ClipTrack = {
  ...video('H.265', `rtph265depay ! video/x-h265,${BYTE_STREAM}`, 'h265parse', h265Slices),
  isShownByMpv: true,
  bitstreamFilter: 'hevc_mp4toannexb',
};

/** Every codec that both an encoder and an RTP sender on Debian 12 are there for. */
export const CLIPS: readonly Clip[] = [
  {
    name: 'H.264 with B-frames and AAC',
    tracks: [H264, audio('AAC', 'rtpmp4gdepay', 'aacparse')],
    encode: both('-c:v libx264 -preset ultrafast -bf 2 -g 15 -sc_threshold 0 -c:a aac -ar 44100'),
  },
  {
    name: 'H.265 with B-frames and Opus',
    tracks: [H265, audio('Opus', 'rtpopusdepay', 'opusparse')],
    encode: both(
      '-c:v libx265 -preset ultrafast -x265-params bframes=2:keyint=15:scenecut=0:log-level=error -c:a libopus -ar 48000',
    ),
  },
  {
    name: 'VP8 and L16',
    tracks: [
      video('VP8', 'rtpvp8depay', 'identity'),
      audio('L16', 'rtpL16depay', 'audioconvert ! audio/x-raw,format=S16BE'),
    ],
    encode: both('-c:v libvpx -deadline realtime -cpu-used 8 -b:v 200k -g 15 -c:a pcm_s16be -ar 22050 -ac 1'),
  },
  {
    name: 'VP9 and PCMU',
    tracks: [
      { ...video('VP9', 'rtpvp9depay', 'vp9parse'), isShownByMpv: true },
      audio('PCMU', 'rtppcmudepay', 'identity'),
    ],
    encode: both('-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 200k -g 15 -c:a pcm_mulaw -ar 8000'),
  },
  {
    name: 'MPEG-4 video with B-frames and MP3',
    tracks: [video('MPEG-4', 'rtpmp4vdepay', 'mpeg4videoparse', vops), audio('MP3', 'rtpmpadepay', 'mpegaudioparse')],
    encode: both('-c:v mpeg4 -bf 2 -g 15 -c:a libmp3lame -ar 44100'),
  },
  {
    name: 'MPEG-2 video with B-frames and MP2',
    tracks: [video('MPEG-2', 'rtpmpvdepay', 'mpegvideoparse'), audio('MP2', 'rtpmpadepay', 'mpegaudioparse')],
    encode: both('-c:v mpeg2video -bf 2 -g 25 -c:a mp2 -ar 48000', 25),
  },
  {
    name: 'JPEG and PCMA',
    tracks: [video('JPEG', 'rtpjpegdepay', 'jpegparse', jpegScans), audio('PCMA', 'rtppcmadepay', 'identity')],
    encode: words(`${picture(15)} ${SOUND} -pix_fmt yuvj420p -c:v mjpeg -huffman default -c:a pcm_alaw -ar 8000`),
  },
  {
    name: 'Theora and Vorbis',
    tracks: [
      { ...video('Theora', 'rtptheoradepay', 'theoraparse'), isShownByMpv: true, isHeldBack: true },
      audio('Vorbis', 'rtpvorbisdepay', 'vorbisparse'),
    ],
    encode: both('-c:v libtheora -g 15 -b:v 200k -c:a libvorbis -ar 44100'),
    // Version 1.22 of rtspclientsink waits for their headers before it lets the headers through, and never announces.
    notSentBy: 'gstreamer',
  },
  {
    name: 'G.722',
    tracks: [audio('G.722', 'rtpg722depay', 'identity')],
    encode: words(`${SOUND} -c:a g722 -ar 16000 -ac 1`),
    // Its demuxer of Matroska and its parsers don't know it.
    notSentBy: 'gstreamer',
  },
  {
    name: 'AC-3',
    tracks: [audio('AC-3', 'rtpac3depay', 'ac3parse')],
    encode: words(`${SOUND} -c:a ac3 -ar 48000`),
    notSentBy: 'ffmpeg',
  },
  {
    name: 'AMR-WB',
    tracks: [audio('AMR-WB', 'rtpamrdepay', 'identity')],
    pipeline: {
      elements: `audiotestsrc num-buffers=${SECONDS * 50} samplesperbuffer=320 ! audio/x-raw,rate=16000,channels=1 ! voamrwbenc`,
      magic: '#!AMR-WB\n',
    },
    extension: 'awb',
    source: 'amrparse',
  },
];
