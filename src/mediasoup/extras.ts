/** Building blocks applications use besides the SFU (subpath `millrace/mediasoup/extras`). */
export { EnhancedEventEmitter, enhancedOnce } from './enhanced-events.ts';
