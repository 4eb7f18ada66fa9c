import { AmfObject, type AmfPropertyBag, type AmfValue, isAmfPropertyBag } from '../amf/amf-value.ts';
import { bagProperty, numberProperty } from './command.ts';

/** Bits of `capsEx` (Enhanced RTMP v2, "Enhancing NetConnection connect Command"). */
export const CAPS_EX = { reconnect: 0x01, multitrack: 0x02, modEx: 0x04, timestampNanoOffset: 0x08 } as const;

/** Bits of the FourCC info maps (ibid.). */
export const FOURCC_INFO = { canDecode: 0x01, canEncode: 0x02, canForward: 0x04 } as const;

/** Most FourCC names taken from a peer, per list. */
export const MAX_FOURCC_ENTRIES = 64;

/** What one side of a connection can do beyond RTMP 1.0. */
export interface EnhancedCapabilities {
  /** FourCC names (v1); `*` means any. */
  readonly fourCcList: readonly string[];
  /** FourCC name to `FOURCC_INFO` bits (v2). */
  readonly videoFourCcInfoMap: ReadonlyMap<string, number>;
  readonly audioFourCcInfoMap: ReadonlyMap<string, number>;
  /** `CAPS_EX` bits (v2). */
  readonly capsEx: number;
}

const ALL_FOURCC_INFO = FOURCC_INFO.canDecode | FOURCC_INFO.canEncode | FOURCC_INFO.canForward;
const VIDEO_FOURCCS = ['avc1', 'hvc1', 'av01', 'vp09', 'vp08'] as const;
const AUDIO_FOURCCS = ['mp4a', 'Opus', 'ac-3', 'ec-3', 'fLaC', '.mp3'] as const;

/** What this server can do: forward every codec of Enhanced RTMP v2, and all its extensions. */
export const OWN_CAPABILITIES: EnhancedCapabilities = {
  fourCcList: [...VIDEO_FOURCCS, ...AUDIO_FOURCCS],
  videoFourCcInfoMap: new Map(VIDEO_FOURCCS.map((name) => [name, FOURCC_INFO.canForward])),
  audioFourCcInfoMap: new Map(AUDIO_FOURCCS.map((name) => [name, FOURCC_INFO.canForward])),
  capsEx: CAPS_EX.reconnect | CAPS_EX.multitrack | CAPS_EX.modEx | CAPS_EX.timestampNanoOffset,
};

/** What our client tells: it can make, take and pass on every codec of Enhanced RTMP v2, and be asked to reconnect. */
export const CLIENT_CAPABILITIES: EnhancedCapabilities = {
  fourCcList: OWN_CAPABILITIES.fourCcList,
  videoFourCcInfoMap: new Map(VIDEO_FOURCCS.map((name) => [name, ALL_FOURCC_INFO])),
  audioFourCcInfoMap: new Map(AUDIO_FOURCCS.map((name) => [name, ALL_FOURCC_INFO])),
  capsEx: OWN_CAPABILITIES.capsEx,
};

/** Reads the capabilities in a command object or info object; undefined when it has none: a plain RTMP peer. */
export function parseEnhancedCapabilities(bag: AmfValue): EnhancedCapabilities | undefined {
  if (!isAmfPropertyBag(bag)) return undefined;
  const hasAny = ['fourCcList', 'videoFourCcInfoMap', 'audioFourCcInfoMap', 'capsEx'].some(
    (name) => bag.get(name) !== undefined && bag.get(name) !== null,
  );
  if (!hasAny) return undefined;
  return {
    fourCcList: toNames(bag.get('fourCcList')),
    videoFourCcInfoMap: toInfoMap(bagProperty(bag, 'videoFourCcInfoMap')),
    audioFourCcInfoMap: toInfoMap(bagProperty(bag, 'audioFourCcInfoMap')),
    capsEx: (numberProperty(bag, 'capsEx') ?? 0) >>> 0,
  };
}

/** The list is a strict array by the specification; some senders make it an ECMA array. */
function toNames(value: AmfValue): string[] {
  const items = isAmfPropertyBag(value) ? [...value.properties.values()] : Array.isArray(value) ? value : [];
  return items.filter((item): item is string => typeof item === 'string').slice(0, MAX_FOURCC_ENTRIES);
}

function toInfoMap(bag: AmfPropertyBag | undefined): ReadonlyMap<string, number> {
  const map = new Map<string, number>();
  for (const [name, value] of bag?.properties ?? []) {
    if (map.size >= MAX_FOURCC_ENTRIES) break;
    if (typeof value === 'number') map.set(name, value >>> 0);
  }
  return map;
}

/** The properties that say `capabilities`, for a connect command or its answer. */
export function toCapabilityProperties(capabilities: EnhancedCapabilities): [string, AmfValue][] {
  return [
    ['fourCcList', [...capabilities.fourCcList]],
    ['videoFourCcInfoMap', new AmfObject(capabilities.videoFourCcInfoMap)],
    ['audioFourCcInfoMap', new AmfObject(capabilities.audioFourCcInfoMap)],
    ['capsEx', capabilities.capsEx],
  ];
}
