/** `mediasoup/extras` */
'use strict';

const extras = require('millrace/mediasoup/extras');

exports.EnhancedEventEmitter = extras.EnhancedEventEmitter;
exports.enhancedOnce = extras.enhancedOnce;
