/** `mediasoup/ortc` */
'use strict';

const ortc = require('millrace/mediasoup/ortc');

exports.validateAndNormalizeRtpCapabilities = ortc.validateAndNormalizeRtpCapabilities;
exports.validateAndNormalizeRtpParameters = ortc.validateAndNormalizeRtpParameters;
exports.validateAndNormalizeSctpStreamParameters = ortc.validateAndNormalizeSctpStreamParameters;
exports.generateRouterRtpCapabilities = ortc.generateRouterRtpCapabilities;
exports.getProducerRtpParametersMapping = ortc.getProducerRtpParametersMapping;
exports.getConsumableRtpParameters = ortc.getConsumableRtpParameters;
exports.canConsume = ortc.canConsume;
exports.getConsumerRtpParameters = ortc.getConsumerRtpParameters;
exports.getPipeConsumerRtpParameters = ortc.getPipeConsumerRtpParameters;
