import { DependencyDescriptorReader } from '../protocol/rtp/extensions/dependency-descriptor.ts';

/** What reading a payload needs to know of those before it: one for all `ProducerPayload`s of a stream. */
export class PayloadHistory {
  readonly dependencyReader: DependencyDescriptorReader = new DependencyDescriptorReader();
  newestTimestamp = -1;
  /** Of the first frame of the newest picture. */
  firstFrameNumber = 0;
  /** Of the packet before, where an OBU may go on. */
  openSpatialLayer = 0;
  openTemporalLayer = 0;
}
