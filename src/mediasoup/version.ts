/** The version of mediasoup whose API this is. */
export const version = '3.27.1';
