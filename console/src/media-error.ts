import type { MediaEvent } from './playback-session.ts';

/** The details mpegts.js gives with an error, as far as they can be relied on. */
export interface EngineErrorInfo {
  readonly code?: unknown;
  readonly msg?: unknown;
}

/**
 * What an error of mpegts.js means for the viewer.
 * @param type `NetworkError`, `MediaError` or `OtherError`.
 * @param detail `HttpStatusCodeInvalid`, `CodecUnsupported`, `MediaMSEError`, …
 */
export function toMediaEvent(type: string, detail: string, info: EngineErrorInfo | undefined): MediaEvent {
  if (type === 'NetworkError') {
    return { type: 'lost', reason: describeNetworkError(detail, info) };
  }
  const message = typeof info?.msg === 'string' && info.msg !== '' ? `: ${info.msg.replace(/\.$/, '')}` : '';
  if (detail === 'CodecUnsupported' || /unsupported|not supported/i.test(message)) {
    return { type: 'unplayable', reason: `This browser cannot play this stream${message}` };
  }
  return { type: 'decoder-failed', reason: `The stream could not be decoded${message}` };
}

function describeNetworkError(detail: string, info: EngineErrorInfo | undefined): string {
  if (detail !== 'HttpStatusCodeInvalid' || typeof info?.code !== 'number') {
    return 'Connection lost';
  }
  switch (info.code) {
    case 401:
    case 403:
      return `The server does not allow watching this stream (${info.code})`;
    case 404:
      return 'The server does not have this stream (404)';
    case 503:
      return 'The server has no room for another viewer (503)';
    default:
      return `The server answered ${info.code}`;
  }
}
