import type { InternalIds } from '../worker/channel/messages.ts';
import { type AppData, checkAppData } from './app-data.ts';
import type { Channel } from './channel.ts';
import { DirectTransportImpl } from './direct-transport.ts';
import { numberOf, withoutNulls } from './given-options.ts';
import { PipeTransportImpl } from './pipe-transport.ts';
import { PlainTransportImpl } from './plain-transport.ts';
import { randomId } from './random.ts';
import type { RouterOfTransport } from './router-of-transport.ts';
import type { TransportImplOptions } from './transport.ts';
import type {
  BaseTransportDump,
  DirectTransportDump,
  DirectTransportOptions,
  PipeTransportDump,
  PipeTransportOptions,
  PlainTransportDump,
  PlainTransportOptions,
  TransportListenInfo,
  WebRtcTransportDump,
  WebRtcTransportOptions,
} from './transport-types.ts';
import {
  checkSrtpCryptoSuite,
  listenInfoOf,
  listenInfosOfIps,
  sctpSettingsOf,
  udpListenInfoOf,
} from './transport-validation.ts';
import { WebRtcServerImpl } from './web-rtc-server.ts';
import { WebRtcTransportImpl } from './web-rtc-transport.ts';

/** Seconds a client may stay silent on ICE, unless 0. */
const ICE_CONSENT_TIMEOUT = { least: 10, most: 60, byDefault: 30 } as const;

/** Makes the transports of one router. */
export class TransportFactory {
  readonly #channel: Channel;
  readonly #internal: InternalIds;
  readonly #router: RouterOfTransport;

  constructor(channel: Channel, internal: InternalIds, router: RouterOfTransport) {
    this.#channel = channel;
    this.#internal = internal;
    this.#router = router;
  }

  /** @throws TypeError */
  async webRtc<A extends AppData>(given: WebRtcTransportOptions<A>): Promise<WebRtcTransportImpl<A>> {
    const options = withoutNulls(given);
    const { webRtcServer, appData } = options;
    checkAppData(appData);
    const initialAvailableOutgoingBitrate = numberOf(options.initialAvailableOutgoingBitrate ?? 600_000);
    if (!isCount(initialAvailableOutgoingBitrate)) {
      throw new TypeError('if given, initialAvailableOutgoingBitrate must be a positive number');
    }
    const iceConsentTimeout = Number(options.iceConsentTimeout ?? ICE_CONSENT_TIMEOUT.byDefault);
    const { least, most } = ICE_CONSENT_TIMEOUT;
    if (iceConsentTimeout !== 0 && !(iceConsentTimeout >= least && iceConsentTimeout <= most)) {
      throw new TypeError(`iceConsentTimeout must be 0 or from ${least} to ${most}`);
    }
    // Who lists where to listen has said by which protocols; only for the deprecated addresses TCP is left out.
    const { enableUdp = true, enableTcp = options.listenIps === undefined } = options;
    const listen = {
      enableUdp,
      enableTcp,
      preferUdp: options.preferUdp ?? false,
      preferTcp: options.preferTcp ?? false,
    };
    const where = webRtcServer === undefined ? { listenInfos: listenInfosOf(options, listen) } : serverOf(webRtcServer);
    const made = await this.#create<WebRtcTransportDump>('router.createWebRtcTransport', {
      ...where,
      ...listen,
      initialAvailableOutgoingBitrate,
      iceConsentTimeout,
      ...sctpSettingsOf(options, true),
    });
    const transport = new WebRtcTransportImpl<A>({ ...made, appData });
    if (webRtcServer instanceof WebRtcServerImpl) {
      webRtcServer.handleWebRtcTransport(transport as unknown as WebRtcTransportImpl);
    }
    return transport;
  }

  /** @throws TypeError */
  async plain<A extends AppData>(given: PlainTransportOptions<A>): Promise<PlainTransportImpl<A>> {
    const options = withoutNulls(given);
    const { comedia = false, enableSrtp = false, rtcpListenInfo, appData } = options;
    const { srtpCryptoSuite = 'AES_CM_128_HMAC_SHA1_80', rtcpMux = rtcpListenInfo === undefined } = options;
    checkAppData(appData);
    checkSrtpCryptoSuite(srtpCryptoSuite);
    const listenInfo = udpListenInfoOf(options);
    const made = await this.#create<PlainTransportDump>('router.createPlainTransport', {
      listenInfo,
      ...(rtcpListenInfo === undefined ? {} : { rtcpListenInfo: listenInfoOf(rtcpListenInfo, 'udp') }),
      rtcpMux,
      comedia,
      ...sctpSettingsOf(options, false),
      enableSrtp,
      srtpCryptoSuite,
    });
    return new PlainTransportImpl<A>({ ...made, appData });
  }

  /** @throws TypeError */
  async pipe<A extends AppData>(given: PipeTransportOptions<A>): Promise<PipeTransportImpl<A>> {
    const options = withoutNulls(given);
    const { enableRtx = false, enableSrtp = false, appData } = options;
    checkAppData(appData);
    const made = await this.#create<PipeTransportDump>('router.createPipeTransport', {
      listenInfo: udpListenInfoOf(options),
      enableRtx,
      enableSrtp,
      ...sctpSettingsOf(options, false),
    });
    return new PipeTransportImpl<A>({ ...made, appData });
  }

  /** @throws TypeError */
  async direct<A extends AppData>(given: DirectTransportOptions<A>): Promise<DirectTransportImpl<A>> {
    const options = withoutNulls(given);
    const { maxMessageSize, appData } = options;
    const { maxSendMessageSize = maxMessageSize ?? 262_144, maxReceiveMessageSize = maxMessageSize ?? 262_144 } =
      options;
    checkAppData(appData);
    if (!isCount(maxSendMessageSize) || !isCount(maxReceiveMessageSize)) {
      throw new TypeError('if given, maxSendMessageSize and maxReceiveMessageSize must be positive numbers');
    }
    const made = await this.#create<DirectTransportDump>('router.createDirectTransport', {
      maxSendMessageSize,
      maxReceiveMessageSize,
    });
    return new DirectTransportImpl<A>({ ...made, appData });
  }

  /** Has the worker make one. @returns what an object of the API is made of, but for what is the application's own */
  async #create<Dump extends BaseTransportDump>(
    method: string,
    settings: object,
  ): Promise<Omit<TransportImplOptions<AppData>, 'appData'> & { readonly data: Dump }> {
    const [channel, router, id] = [this.#channel, this.#router, randomId()];
    const internal = { ...this.#internal, transportId: id };
    return { channel, router, internal, id, data: (await channel.request(method, internal, settings)) as Dump };
  }
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}

function serverOf(webRtcServer: unknown): { webRtcServerId: string } {
  const id = (webRtcServer as { id?: unknown } | null)?.id;
  if (typeof id !== 'string') throw new TypeError('invalid webRtcServer');
  return { webRtcServerId: id };
}

function listenInfosOf(
  { listenInfos, listenIps, port }: WebRtcTransportOptions,
  listen: {
    readonly enableUdp: boolean;
    readonly enableTcp: boolean;
    readonly preferUdp: boolean;
    readonly preferTcp: boolean;
  },
): TransportListenInfo[] {
  const given = listenInfos ?? listenIps;
  if (given === undefined) {
    throw new TypeError('missing webRtcServer, listenInfos and listenIps (one of them is mandatory)');
  }
  if (listenInfos !== undefined && listenIps !== undefined) {
    throw new TypeError('only one of webRtcServer, listenInfos and listenIps must be given');
  }
  if (!Array.isArray(given) || given.length === 0) throw new TypeError('listenInfos must be a list of one at least');
  return listenInfos === undefined
    ? listenInfosOfIps({ listenIps: given, port, ...listen })
    : listenInfos.map((info) => listenInfoOf(info));
}
