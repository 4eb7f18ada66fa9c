import { describe, expect, it } from 'vitest';
import { argumentsOf, logTagsOf, parseWorkerSettings } from './worker-settings.ts';

describe('parseWorkerSettings', () => {
  it('has defaults', () => {
    expect(parseWorkerSettings([])).toEqual({
      logLevel: 'error',
      logTags: [],
      rtcMinPort: 10000,
      rtcMaxPort: 59999,
      dtlsCertificateFile: undefined,
      dtlsPrivateKeyFile: undefined,
      libwebrtcFieldTrials: 'WebRTC-Bwe-AlrLimitedBackoff/Enabled/',
    });
  });

  it('reads what argumentsOf wrote', () => {
    const settings = {
      logLevel: 'debug' as const,
      logTags: ['ice' as const, 'rtp' as const],
      rtcMinPort: 0,
      rtcMaxPort: 9999,
      dtlsCertificateFile: '/a b=c.pem',
      dtlsPrivateKeyFile: '/k.pem',
      libwebrtcFieldTrials: 'X/Disabled/',
    };
    expect(parseWorkerSettings(argumentsOf(settings))).toEqual(settings);
  });

  it.each([
    [['--logLevel=chicken']],
    [['--rtcMinPort=1000', '--rtcMaxPort=999']],
    [['--rtcMaxPort=65536']],
    [['--rtcMinPort=x']],
    [['--rtcMinPort=-1']],
    [['--dtlsCertificateFile=/x']],
    [['--dtlsPrivateKeyFile=/x']],
    [['--chicken=1']],
    [['chicken']],
  ])('refuses %j', (args) => {
    expect(() => parseWorkerSettings(args)).toThrow(TypeError);
  });

  it('passes over tags nobody knows and refuses what is no list of texts', () => {
    expect(logTagsOf(['ice', 'chicken'])).toEqual(['ice']);
    expect(() => logTagsOf('ice')).toThrow(TypeError);
    expect(() => logTagsOf([1])).toThrow(TypeError);
  });
});
