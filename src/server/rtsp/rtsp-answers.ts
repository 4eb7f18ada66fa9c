import type { RtspAnswer } from '../delegate/rtsp-delegate-server.ts';
import type { RtspMethod } from './media-session.ts';

/** An answer, and what is to follow once it was sent. */
export interface HandledAnswer extends RtspAnswer {
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Called after the answer was given to the connection. */
  readonly afterwards?: () => void;
  /** The connection is of no more use. */
  readonly closes?: boolean;
}

/** Methods of a server that plays; ANNOUNCE and RECORD only where one may publish. */
const PLAY_METHODS: readonly RtspMethod[] = [
  'OPTIONS',
  'DESCRIBE',
  'SETUP',
  'PLAY',
  'PAUSE',
  'TEARDOWN',
  'GET_PARAMETER',
  'SET_PARAMETER',
];

/** Values of Public and Allow. REGISTER and DEREGISTER are no methods of RFC 2326. */
export function methodList(server: { readonly canRecord: boolean; readonly canRegister: boolean }): string {
  const { canRecord, canRegister } = server;
  return [
    ...PLAY_METHODS,
    ...(canRecord ? ['ANNOUNCE', 'RECORD'] : []),
    ...(canRegister ? ['REGISTER', 'DEREGISTER'] : []),
  ].join(', ');
}

/** An answer with headers in the order given. */
export function answer(
  statusCode: number,
  headers: readonly (readonly [name: string, value: string])[] = [],
  body?: string,
): HandledAnswer {
  return { statusCode, headers, ...(body === undefined ? {} : { body }) };
}

/** 455 with what is allowed instead (RFC 2326 §11.3.6). */
export function wrongState(allowed: readonly RtspMethod[]): HandledAnswer {
  return answer(455, [['Allow', allowed.join(', ')]]);
}
