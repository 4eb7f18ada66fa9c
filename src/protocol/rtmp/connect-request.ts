import { type AmfPropertyBag, type AmfValue, isAmfPropertyBag } from '../amf/amf-value.ts';
import { numberProperty, type RtmpCommand, textProperty } from './command.ts';
import { type EnhancedCapabilities, parseEnhancedCapabilities } from './enhanced-rtmp.ts';
import { RTMP_MAX_URL_LENGTH } from './stream-url.ts';

/** What a client says of itself in `connect` (RTMP 1.0 §7.2.1.1). All strings come from the peer. */
export interface ConnectRequest {
  readonly transactionId: number;
  /** The application as the client names it; `tcUrl` decides. */
  readonly app: string;
  readonly tcUrl: string;
  readonly pageUrl: string | undefined;
  readonly swfUrl: string | undefined;
  readonly flashVer: string | undefined;
  /** 0 for AMF0, 3 for AMF3; echoed in the answer. */
  readonly objectEncoding: number;
  /** Enhanced RTMP capabilities, undefined for a plain client. */
  readonly capabilities: EnhancedCapabilities | undefined;
  /** The command object whole, for what is not listed above. */
  readonly properties: AmfPropertyBag;
  /** The object some servers' edges put behind it (`srs_id` and the like, to follow a request across machines). */
  readonly args: AmfPropertyBag | undefined;
}

/** Reads a `connect` command; a string says what is wrong with it. */
export function parseConnectRequest(command: RtmpCommand): ConnectRequest | string {
  const { object } = command;
  if (!isAmfPropertyBag(object)) return 'connect without a command object';
  const tcUrl = textProperty(object, 'tcUrl');
  if (tcUrl === undefined || tcUrl === '') return 'connect without tcUrl';
  if (tcUrl.length > RTMP_MAX_URL_LENGTH) return 'tcUrl is too long';
  return {
    transactionId: command.transactionId,
    app: textProperty(object, 'app') ?? '',
    tcUrl,
    pageUrl: textProperty(object, 'pageUrl'),
    swfUrl: textProperty(object, 'swfUrl'),
    flashVer: textProperty(object, 'flashVer') ?? textProperty(object, 'flashver'),
    objectEncoding: numberProperty(object, 'objectEncoding') === 3 ? 3 : 0,
    capabilities: parseEnhancedCapabilities(object),
    properties: object,
    args: command.args.find((arg: AmfValue) => isAmfPropertyBag(arg)),
  };
}
