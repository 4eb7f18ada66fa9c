import { expect, it } from 'vitest';
import { readScalabilityMode } from './rtp-parameters.ts';

it.each([
  ['L1T3', 1, 3, 'lower-layers'],
  ['S3T3', 3, 3, 'independent'],
  ['L3T2_KEY', 3, 2, 'independent'],
  ['L8T8', 8, 8, 'lower-layers'],
  // More than any descriptor can name: those would have to be reckoned with for each viewer.
  ['L99T99', 8, 8, 'lower-layers'],
  ['L100T1', 1, 1, 'lower-layers'],
  ['L0T1', 1, 1, 'lower-layers'],
  [undefined, 1, 1, 'lower-layers'],
])('reads the layers of %s', (mode, spatialLayers, temporalLayers, dependency) => {
  expect(readScalabilityMode(mode)).toEqual({ spatialLayers, temporalLayers, dependency });
});
