import { isIP } from 'node:net';

/** Node's emitter and its `once`, for the mediasoup-compatible classes, which are event emitters by contract. */
export { EventEmitter as NodeEventEmitter, once as nodeOnce } from 'node:events';

/** The text is an IPv4 or IPv6 address. */
export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0;
}
