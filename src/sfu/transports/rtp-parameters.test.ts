import { expect, it } from 'vitest';
import { readScalabilityMode } from './rtp-parameters.ts';

it.each([
  ['L1T3', 1, 3, false],
  ['S3T3', 3, 3, false],
  ['L3T2_KEY', 3, 2, true],
  ['L8T8', 8, 8, false],
  // More than any descriptor can name: those would have to be reckoned with for each viewer.
  ['L99T99', 8, 8, false],
  ['L100T1', 1, 1, false],
  ['L0T1', 1, 1, false],
  [undefined, 1, 1, false],
])('reads the layers of %s', (mode, spatialLayers, temporalLayers, ksvc) => {
  expect(readScalabilityMode(mode)).toEqual({ spatialLayers, temporalLayers, ksvc });
});
