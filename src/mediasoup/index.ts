/**
 * Public entry `millrace/mediasoup`: an SFU with the Node API of mediasoup, whose worker is TypeScript. An application
 * written for mediasoup runs with this import in place of its own, as a namespace, by names, or as the default that Node
 * makes of a CommonJS module.
 */

export * from './mediasoup.ts';
export * as default from './mediasoup.ts';
