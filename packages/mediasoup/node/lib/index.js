/** `mediasoup`. Each name by itself: Node reads from this text which names `import` finds. */
'use strict';

const mediasoup = require('millrace/mediasoup');

exports.version = mediasoup.version;
exports.workerBin = mediasoup.workerBin;
exports.observer = mediasoup.observer;
exports.createWorker = mediasoup.createWorker;
exports.getSupportedRtpCapabilities = mediasoup.getSupportedRtpCapabilities;
exports.parseScalabilityMode = mediasoup.parseScalabilityMode;
exports.setLogEventListeners = mediasoup.setLogEventListeners;
exports.errors = mediasoup.errors;
exports.extras = mediasoup.extras;
exports.ortc = mediasoup.ortc;
