import type { InternalIds } from '../worker/channel/messages.ts';
import { type AppData, checkAppData } from './app-data.ts';
import type { Channel } from './channel.ts';
import { clone } from './clone.ts';
import { withoutNulls } from './given-options.ts';
import { getConsumableRtpParameters, getProducerRtpParametersMapping } from './ortc/producer-rtp-mapping.ts';
import { validateAndNormalizeRtpParameters } from './ortc/validate-parameters.ts';
import { ProducerImpl } from './producer.ts';
import { randomId } from './random.ts';
import type { RouterOfTransport } from './router-of-transport.ts';
import type { RtpParameters } from './rtp-parameters.ts';
import type { ProducerOptions, ProducerType } from './rtp-stream-types.ts';

/** Makes the producers of one transport. */
export class ProducerFactory {
  readonly #channel: Channel;
  readonly #internal: InternalIds;
  readonly #router: RouterOfTransport;
  /** One for all producers: to their consumers they are one sender. */
  #cname: string | undefined;

  constructor(channel: Channel, internal: InternalIds, router: RouterOfTransport) {
    this.#channel = channel;
    this.#internal = internal;
    this.#router = router;
  }

  /** @throws TypeError, UnsupportedError */
  async produce<P extends AppData>(given: ProducerOptions<P>, keepsCname: boolean): Promise<ProducerImpl<P>> {
    const options = withoutNulls(given);
    const { id = randomId(), kind, rtpParameters, paused = false, keyFrameRequestDelay = 0, appData } = options;
    if (typeof id !== 'string' || id === '') throw new TypeError('if given, id must be a non empty string');
    if (this.#router.producer(id) !== undefined) throw new TypeError(`a Producer with same id "${id}" already exists`);
    if (kind !== 'audio' && kind !== 'video') throw new TypeError(`invalid kind "${String(kind)}"`);
    checkAppData(appData);
    const params: RtpParameters = clone(rtpParameters);
    validateAndNormalizeRtpParameters(params);
    // A sender told apart by its MID alone.
    if (params.encodings.length === 0) params.encodings.push({ dtx: false });
    if (!keepsCname) {
      this.#cname ??= params.rtcp.cname ?? randomId().slice(0, 8);
      params.rtcp.cname = this.#cname;
    }
    const routerCapabilities = this.#router.rtpCapabilities();
    const rtpMapping = getProducerRtpParametersMapping(params, routerCapabilities);
    const consumableRtpParameters = getConsumableRtpParameters(kind, params, routerCapabilities, rtpMapping);
    const internal = { ...this.#internal, producerId: id };
    const answer = await this.#channel.request('transport.produce', internal, {
      kind,
      rtpParameters: params,
      rtpMapping,
      keyFrameRequestDelay,
      paused,
      enableMediasoupPacketIdHeaderExtension: options.enableMediasoupPacketIdHeaderExtension ?? false,
    });
    return new ProducerImpl<P>({
      channel: this.#channel,
      internal,
      id,
      appData,
      kind,
      type: (answer as { type: ProducerType }).type,
      rtpParameters: params,
      consumableRtpParameters,
      paused,
    });
  }
}
