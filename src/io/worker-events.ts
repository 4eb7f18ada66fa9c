/** Node's emitter and its `once`, for the mediasoup-compatible classes, which are event emitters by contract. */
export { EventEmitter as NodeEventEmitter, once as nodeOnce } from 'node:events';
