/** The negotiation functions of mediasoup (subpath `millrace/mediasoup/ortc`). */

export { canConsume, getConsumerRtpParameters, getPipeConsumerRtpParameters } from './ortc/consumer-rtp-parameters.ts';
export { getConsumableRtpParameters, getProducerRtpParametersMapping } from './ortc/producer-rtp-mapping.ts';
export { generateRouterRtpCapabilities } from './ortc/router-rtp-capabilities.ts';
export {
  validateAndNormalizeRtpCapabilities,
  validateAndNormalizeRtpParameters,
  validateAndNormalizeSctpStreamParameters,
} from './ortc/validate-parameters.ts';
