/** `mediasoup/errors` */
'use strict';

const errors = require('millrace/mediasoup/errors');

exports.UnsupportedError = errors.UnsupportedError;
exports.NotFoundError = errors.NotFoundError;
exports.WorkerClosedError = errors.WorkerClosedError;
exports.InvalidStateError = errors.InvalidStateError;
