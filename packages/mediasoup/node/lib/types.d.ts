/** Types of `mediasoup/types`. */
export type * from 'millrace/mediasoup/types' with { 'resolution-mode': 'import' };
