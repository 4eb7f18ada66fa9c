/** What the page may ask, each request with a schema. */
import type { types } from 'millrace/mediasoup';
import { z } from 'zod';

/** Letters and digits of any script: a room is part of a link. */
export const roomName = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N}_-]{0,39}$/u);

/** Anything that can be seen: no control characters, no line ends. */
const personName = z
  .string()
  .trim()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,40}$/u);

const id = z.string().min(1).max(64);

/** Passed on to the library, which checks every field of it; its size is bounded by that of the request. */
function checkedByLibrary<T extends object>(): z.ZodType<T> {
  return z.custom<T>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
}

function request<M extends string, D extends z.ZodType>(method: M, data: D) {
  return z.strictObject({ id: z.int().nonnegative(), method: z.literal(method), data });
}

export const requestSchema = z.discriminatedUnion('method', [
  request('join', z.strictObject({ name: personName })),
  request('setCapabilities', z.strictObject({ rtpCapabilities: checkedByLibrary<types.RtpCapabilities>() })),
  request('openTransport', z.strictObject({ direction: z.enum(['send', 'receive']) })),
  request(
    'connectTransport',
    z.strictObject({ transportId: id, dtlsParameters: checkedByLibrary<types.DtlsParameters>() }),
  ),
  request('restartIce', z.strictObject({ transportId: id })),
  request(
    'produce',
    z.strictObject({
      kind: z.enum(['audio', 'video']),
      source: z.enum(['microphone', 'camera', 'screen']),
      paused: z.boolean(),
      rtpParameters: checkedByLibrary<types.RtpParameters>(),
    }),
  ),
  request('setPaused', z.strictObject({ producerId: id, paused: z.boolean() })),
  request('closeProducer', z.strictObject({ producerId: id })),
  request('consume', z.strictObject({ producerId: id })),
  request('resumeConsumer', z.strictObject({ consumerId: id })),
  request(
    'setPreferredLayers',
    z.strictObject({ consumerId: id, spatialLayer: z.int().min(0).max(8), temporalLayer: z.int().min(0).max(8) }),
  ),
  request('produceData', z.strictObject({ sctpStreamParameters: checkedByLibrary<types.SctpStreamParameters>() })),
  request('consumeData', z.strictObject({ dataProducerId: id })),
]);

export type Request = z.infer<typeof requestSchema>;
/** Those of who is in the room. */
export type PeerRequest = Exclude<Request, { method: 'join' }>;
export type Method = Request['method'];
/** What goes with a method. */
export type DataOf<M extends Method> = Extract<Request, { method: M }>['data'];
