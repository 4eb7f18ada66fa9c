import { clone } from '../clone.ts';
import type { RouterRtpCodecCapability, RtpHeaderExtension } from '../rtp-parameters.ts';
import { supportedCodecs, supportedHeaderExtensions } from './supported-rtp-capabilities.tables.ts';

/** What routers can be made of. */
export interface SupportedRtpCapabilities {
  codecs: RouterRtpCodecCapability[];
  headerExtensions: RtpHeaderExtension[];
}

/** Every codec and header extension a router can have; a copy. */
export function getSupportedRtpCapabilities(): SupportedRtpCapabilities {
  return clone({ codecs: [...supportedCodecs], headerExtensions: [...supportedHeaderExtensions] });
}
