import type { AppData } from './app-data.ts';
import type { SctpStreamParameters } from './sctp-parameters.ts';

/** Subchannels are numbers of 16 bits. */
export const MAX_SUBCHANNEL = 0xffff;

/** Messages come and go over SCTP, or through the application itself. */
export type DataProducerType = 'sctp' | 'direct';
export type DataConsumerType = DataProducerType;

export interface DataProducerOptions<A extends AppData = AppData> {
  /** Only for pipes: the id the data producer has elsewhere. */
  id?: string;
  /** Needed except on direct transports. */
  sctpStreamParameters?: SctpStreamParameters;
  label?: string;
  protocol?: string;
  /** false */
  paused?: boolean;
  appData?: A;
}

export interface DataConsumerOptions<A extends AppData = AppData> {
  dataProducerId: string;
  /** As the data producer has it by default; the next two likewise. */
  ordered?: boolean;
  maxPacketLifeTime?: number;
  maxRetransmits?: number;
  /** false */
  paused?: boolean;
  /** Only messages for one of these, or for none, are received; others than 0–65535 are left out. */
  subchannels?: number[];
  appData?: A;
}

export interface DataProducerStat {
  type: 'data-producer';
  timestamp: number;
  label: string;
  protocol: string;
  messagesReceived: number;
  bytesReceived: number;
}

export interface DataConsumerStat {
  type: 'data-consumer';
  timestamp: number;
  label: string;
  protocol: string;
  messagesSent: number;
  bytesSent: number;
  bufferedAmount: number;
}

export interface DataProducerDump {
  id: string;
  paused: boolean;
  type: DataProducerType;
  sctpStreamParameters?: SctpStreamParameters;
  label: string;
  protocol: string;
}

export interface DataConsumerDump extends DataProducerDump {
  dataProducerPaused: boolean;
  subchannels: number[];
  dataProducerId: string;
  bufferedAmount: number;
  bufferedAmountLowThreshold: number;
}
