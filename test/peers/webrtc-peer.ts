/** What tests ask of a peer of WebRTC, whatever program it is. */

/** How far a peer has come. */
export interface WebRtcPeerReport {
  /** `RTCPeerConnection.connectionState`, or what is nearest. */
  readonly connection: string;
  /** Data channels open. */
  readonly channels: number;
  /** Video frames decoded, or RTP packets of video that came back whole. */
  readonly video: number;
  /** Packets of sound that were played, or that came back whole. */
  readonly audio: number;
  /** Bytes of data channel messages that came and were sent back. */
  readonly echoedBytes: number;
  /** Requests for a key frame that came. */
  readonly keyFrameRequests: number;
}

/** What a peer has to say and to do. It sends every message of a data channel back by the channel it came by. */
export interface WebRtcPeer {
  /** An offer of sound, video and two data channels, `ordered` and `unordered`, with all candidates. */
  offer(options: OfferOptions): Promise<string>;
  /** The answer to an offer, with the same media. */
  answer(sdp: string): Promise<string>;
  accept(answer: string): Promise<void>;
  /** An offer with new parameters of ICE. */
  restart(): Promise<string>;
  report(): Promise<WebRtcPeerReport>;
  /** Closes the connection as the program does it. */
  hangUp(): Promise<void>;
  /** Ends the program, or its part of it. */
  close(): Promise<void>;
}

export interface OfferOptions {
  /** Codec of the video, as in `rtpmap`. */
  readonly videoCodec?: string;
  /** Feedback by RTCP where the program makes none by itself. */
  readonly withRtcp?: boolean;
  /** Neither sound nor video. */
  readonly dataOnly?: boolean;
}
