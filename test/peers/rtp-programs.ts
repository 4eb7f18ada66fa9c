import { join } from 'node:path';
import { type PeerCommand, words } from './peer-process.ts';

/** Debian's own has the bindings of GStreamer. */
const SYSTEM_PYTHON = '/usr/bin/python3';
const GST_RTP = join(import.meta.dirname, 'gst-rtp.py');
const HOST = '127.0.0.1';
const TIMEOUT_MS = 60_000;

export type SrtpSuite = 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32' | 'AEAD_AES_128_GCM' | 'AEAD_AES_256_GCM';

/** Master key and salt of one direction. */
export interface SrtpKey {
  readonly cryptoSuite: SrtpSuite;
  readonly keyBase64: string;
}

/** One stream of RTP between a program and somebody on this machine. */
export interface RtpTrack {
  readonly kind: 'video' | 'audio';
  readonly codec: 'H264' | 'VP8' | 'opus';
  readonly payloadType: number;
  readonly ssrc: number;
  /** Where the program is. Without `localRtcpPort`, RTCP comes here too. */
  readonly localPort: number;
  readonly localRtcpPort?: number;
  /** Where the other one is. */
  readonly port: number;
  readonly rtcpPort: number;
  /** Of what the program sends, and of what it gets. */
  readonly sendKey?: SrtpKey;
  readonly receiveKey?: SrtpKey;
}

/** Sends the tracks of a file in real time as they are, each from ports it chooses itself. */
export function ffmpegRtpSender(file: string, tracks: readonly RtpTrack[]): PeerCommand {
  const outputs = tracks.flatMap((track) => {
    const { kind, codec, payloadType, ssrc, port, rtcpPort, sendKey } = track;
    const suite =
      sendKey === undefined ? [] : ['-srtp_out_suite', ffmpegSuite(sendKey), '-srtp_out_params', sendKey.keyBase64];
    return [
      ...words(`-map 0:${kind[0]} -c copy`),
      ...(codec === 'H264' ? words('-bsf:v h264_mp4toannexb') : []),
      ...words(`-f rtp -payload_type ${payloadType} -ssrc ${ssrc}`),
      ...suite,
      `${sendKey === undefined ? 'rtp' : 'srtp'}://${HOST}:${port}?rtcpport=${rtcpPort}&pkt_size=1200`,
    ];
  });
  return {
    program: 'ffmpeg',
    args: [...words('-hide_banner -nostdin -v warning -re -i'), file, ...outputs],
    timeoutMs: TIMEOUT_MS,
  };
}

/** By the name of SDP it takes the short tag for RTCP too, against RFC 4568 §6.2; not by that of DTLS. */
function ffmpegSuite({ cryptoSuite }: SrtpKey): string {
  return cryptoSuite === 'AES_CM_128_HMAC_SHA1_32' ? 'SRTP_AES128_CM_HMAC_SHA1_32' : cryptoSuite;
}

/** What `ffmpegRtpReceiver` is told of the tracks. */
export function sdpOf(tracks: readonly RtpTrack[]): string {
  const lines = ['v=0', `o=- 0 0 IN IP4 ${HOST}`, 's=-', `c=IN IP4 ${HOST}`, 't=0 0'];
  for (const { kind, codec, payloadType, localPort, receiveKey } of tracks) {
    const rtpmap = { H264: 'H264/90000', VP8: 'VP8/90000', opus: 'opus/48000/2' }[codec];
    lines.push(`m=${kind} ${localPort} RTP/${receiveKey === undefined ? 'AVP' : 'SAVP'} ${payloadType}`);
    lines.push(`a=rtpmap:${payloadType} ${rtpmap}`);
    if (codec === 'H264') lines.push(`a=fmtp:${payloadType} packetization-mode=1`);
    if (receiveKey !== undefined) lines.push(`a=crypto:1 ${ffmpegSuite(receiveKey)} inline:${receiveKey.keyBase64}`);
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** Writes what comes to a Matroska file, until nothing has come for three seconds. */
export function ffmpegRtpReceiver(sdpFile: string, file: string): PeerCommand {
  return {
    program: 'ffmpeg',
    args: [
      ...words('-hide_banner -nostdin -v warning -y -protocol_whitelist file,udp,rtp,srtp,crypto'),
      ...words(
        '-probesize 50000 -analyzeduration 1000000 -max_delay 500000 -listen_timeout 3 -sdp_flags rtcp_to_source -i',
      ),
      sdpFile,
      ...words('-map 0 -c copy -f matroska'),
      file,
    ],
    timeoutMs: TIMEOUT_MS,
  };
}

const PAYLOADERS = {
  H264: 'h264parse config-interval=-1 ! rtph264pay',
  VP8: 'rtpvp8pay picture-id-mode=2',
  opus: 'rtpopuspay',
};
const DEPAYLOADERS = { H264: 'rtph264depay ! h264parse', VP8: 'rtpvp8depay', opus: 'rtpopusdepay ! opusparse' };

/** Sends the tracks of a Matroska file in real time as they are. */
export function gstRtpSender(file: string, tracks: readonly RtpTrack[]): PeerCommand {
  return gstRtpPipeline([
    `filesrc location=${file} ! matroskademux name=d`,
    gstSenderBin(tracks, ({ kind, codec, payloadType, ssrc }) => {
      return `d.${kind}_0 ! queue ! ${PAYLOADERS[codec]} pt=${payloadType} ssrc=${ssrc} mtu=1200`;
    }),
  ]);
}

/** Sends pictures that are encoded as they are made, with a key frame at the beginning and whenever one is asked for. */
export function gstLiveSender(track: RtpTrack): PeerCommand {
  const encoder =
    track.codec === 'VP8'
      ? 'vp8enc deadline=1 keyframe-max-dist=100000'
      : 'x264enc tune=zerolatency speed-preset=ultrafast key-int-max=100000 ! video/x-h264,profile=constrained-baseline';
  const source = 'videotestsrc is-live=true pattern=ball ! video/x-raw,width=160,height=120,framerate=25/1,format=I420';
  return gstRtpPipeline([
    gstSenderBin([track], ({ codec, payloadType, ssrc }) => {
      return `${source} ! ${encoder} ! ${PAYLOADERS[codec]} pt=${payloadType} ssrc=${ssrc} mtu=1200`;
    }),
  ]);
}

/** A tone so loud for so long: its amplitude is a part of the greatest there is. */
export interface Tone {
  readonly amplitude: number;
  readonly seconds: number;
}

/** Who sends tones, one after the other. */
export interface Voice {
  readonly track: RtpTrack;
  readonly tones: readonly Tone[];
}

/**
 * Sends tones of several at the same time, as Opus in packets of 20 ms whose loudness their headers say (RFC 6464), as
 * header extension 6.
 */
export function gstToneSender(voices: readonly Voice[]): PeerCommand {
  const extension = 'extmap-6=(string)<"","urn:ietf:params:rtp-hdrext:ssrc-audio-level","vad=on">';
  const parts = voices.flatMap(({ track: { payloadType, ssrc, port }, tones }, i) => {
    const sources = tones.map(({ amplitude, seconds }) => {
      const source = `audiotestsrc samplesperbuffer=960 num-buffers=${Math.round(seconds * 50)} volume=${amplitude}`;
      return `${source} ! audio/x-raw,rate=48000,channels=1 ! queue ! c${i}.`;
    });
    return [
      ...sources,
      `concat name=c${i} ! level audio-level-meta=true interval=20000000 ! opusenc frame-size=20`,
      `! rtpopuspay pt=${payloadType} ssrc=${ssrc} ! application/x-rtp,${extension}`,
      `! udpsink host=${HOST} port=${port}`,
    ];
  });
  return gstRtpPipeline(parts);
}

/** Writes what comes to a Matroska file, until SIGTERM. */
export function gstRtpReceiver(tracks: readonly RtpTrack[], file: string): PeerCommand {
  const streams = tracks.map((track, i) => {
    const { kind, codec, payloadType, ssrc, localPort, localRtcpPort, port, rtcpPort, sendKey, receiveKey } = track;
    const clockRate = kind === 'video' ? 90_000 : 48_000;
    const media = `media=${kind},clock-rate=${clockRate},encoding-name=${codec.toUpperCase()},payload=${payloadType}`;
    const caps =
      receiveKey === undefined
        ? `"application/x-rtp,${media}"`
        : `"application/x-srtp,${media},ssrc=(uint)${ssrc},${srtpCaps(receiveKey)}"`;
    const source = `udpsrc name=s${i} port=${localPort} caps=${caps}`;
    const input =
      receiveKey === undefined
        ? `${source} ! r.recv_rtp_sink_${i}`
        : `srtpdec name=x${i} ${source} ! x${i}.rtp_sink x${i}.rtp_src ! r.recv_rtp_sink_${i} x${i}.rtcp_src ! r.recv_rtcp_sink_${i}`;
    const reports =
      localRtcpPort === undefined ? '' : `udpsrc name=c${i} port=${localRtcpPort} ! r.recv_rtcp_sink_${i}`;
    const owner = localRtcpPort === undefined ? `s${i}` : `c${i}`;
    const answers = gstRtcpOutput(i, owner, localRtcpPort === undefined ? port : rtcpPort, sendKey);
    return `${input} ${reports} ${answers} r.recv_rtp_src_${i}_${ssrc}_${payloadType} ! ${DEPAYLOADERS[codec]} ! queue ! m.`;
  });
  return gstRtpPipeline([
    'rtpbin name=r rtp-profile=avpf latency=200',
    `matroskamux name=m ! filesink buffer-mode=unbuffered location=${file}`,
    ...streams,
  ]);
}

function gstSenderBin(tracks: readonly RtpTrack[], source: (track: RtpTrack) => string): string {
  const streams = tracks.map((track, i) => {
    const { localPort, localRtcpPort, port, rtcpPort, sendKey, receiveKey } = track;
    const rtp =
      sendKey === undefined
        ? `r.send_rtp_src_${i}`
        : `srtpenc name=e${i} ${srtpProperties(sendKey)} r.send_rtp_src_${i} ! e${i}.rtp_sink_0 e${i}.rtp_src_0`;
    const owner = localRtcpPort === undefined ? `s${i}` : `c${i}`;
    const back = `udpsrc name=${owner} port=${localRtcpPort ?? localPort}`;
    const answers =
      receiveKey === undefined
        ? `${back} ! r.recv_rtcp_sink_${i}`
        : `srtpdec name=x${i} ${back} caps="application/x-srtcp,${srtpCaps(receiveKey)}" ! x${i}.rtcp_sink x${i}.rtcp_src ! r.recv_rtcp_sink_${i}`;
    const own = localRtcpPort === undefined ? '' : `udpsrc name=s${i} port=${localPort} ! fakesink`;
    return [
      `${source(track)} ! r.send_rtp_sink_${i}`,
      `${rtp} ! udpsink name=s${i}-rtp host=${HOST} port=${port}`,
      gstRtcpOutput(i, owner, localRtcpPort === undefined ? port : rtcpPort, sendKey),
      answers,
      own,
    ].join(' ');
  });
  return ['rtpbin name=r rtp-profile=avpf', ...streams].join(' ');
}

function gstRtcpOutput(i: number, owner: string, port: number, key: SrtpKey | undefined): string {
  const sink = `udpsink name=${owner}-rtcp host=${HOST} port=${port} sync=false async=false`;
  if (key === undefined) return `r.send_rtcp_src_${i} ! ${sink}`;
  return `srtpenc name=q${i} ${srtpProperties(key)} r.send_rtcp_src_${i} ! q${i}.rtcp_sink_0 q${i}.rtcp_src_0 ! ${sink}`;
}

function gstRtpPipeline(parts: readonly string[]): PeerCommand {
  return { program: SYSTEM_PYTHON, args: [GST_RTP, parts.join(' ')], timeoutMs: TIMEOUT_MS };
}

const GST_SUITES: Readonly<Record<SrtpSuite, readonly [cipher: string, rtpAuth: string, rtcpAuth: string]>> = {
  AES_CM_128_HMAC_SHA1_80: ['aes-128-icm', 'hmac-sha1-80', 'hmac-sha1-80'],
  // RTCP has the long tag in both (RFC 4568 §6.2).
  AES_CM_128_HMAC_SHA1_32: ['aes-128-icm', 'hmac-sha1-32', 'hmac-sha1-80'],
  AEAD_AES_128_GCM: ['aes-128-gcm', 'null', 'null'],
  AEAD_AES_256_GCM: ['aes-256-gcm', 'null', 'null'],
};

function srtpProperties({ cryptoSuite, keyBase64 }: SrtpKey): string {
  const [cipher, rtpAuth, rtcpAuth] = GST_SUITES[cryptoSuite];
  const key = Buffer.from(keyBase64, 'base64').toString('hex');
  return `key=${key} rtp-cipher=${cipher} rtcp-cipher=${cipher} rtp-auth=${rtpAuth} rtcp-auth=${rtcpAuth}`;
}

function srtpCaps({ cryptoSuite, keyBase64 }: SrtpKey): string {
  const [cipher, rtpAuth, rtcpAuth] = GST_SUITES[cryptoSuite];
  const key = Buffer.from(keyBase64, 'base64').toString('hex');
  return `srtp-key=(buffer)${key},srtp-cipher=(string)${cipher},srtcp-cipher=(string)${cipher},srtp-auth=(string)${rtpAuth},srtcp-auth=(string)${rtcpAuth}`;
}
