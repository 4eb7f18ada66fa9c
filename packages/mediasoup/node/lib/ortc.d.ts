/** Types of `mediasoup/ortc`. */
import type * as ortc from 'millrace/mediasoup/ortc' with { 'resolution-mode': 'import' };

export declare const validateAndNormalizeRtpCapabilities: typeof ortc.validateAndNormalizeRtpCapabilities;
export declare const validateAndNormalizeRtpParameters: typeof ortc.validateAndNormalizeRtpParameters;
export declare const validateAndNormalizeSctpStreamParameters: typeof ortc.validateAndNormalizeSctpStreamParameters;
export declare const generateRouterRtpCapabilities: typeof ortc.generateRouterRtpCapabilities;
export declare const getProducerRtpParametersMapping: typeof ortc.getProducerRtpParametersMapping;
export declare const getConsumableRtpParameters: typeof ortc.getConsumableRtpParameters;
export declare const canConsume: typeof ortc.canConsume;
export declare const getConsumerRtpParameters: typeof ortc.getConsumerRtpParameters;
export declare const getPipeConsumerRtpParameters: typeof ortc.getPipeConsumerRtpParameters;
