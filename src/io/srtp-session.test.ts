import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveKey, type SrtpKeys } from '../protocol/srtp/key-derivation.ts';
import type { SrtpCrypto, SrtpJob } from '../protocol/srtp/srtp-cipher.ts';
import { SRTP_PROFILES, type SrtpProfileName } from '../protocol/srtp/srtp-profile.ts';
import { MAX_RECEIVED_SSRCS, SrtpReceiver, type SrtpReceiverOptions } from '../protocol/srtp/srtp-receiver.ts';
import { MAX_SENT_SSRCS, SrtpSender } from '../protocol/srtp/srtp-sender.ts';
import { InterleavedBatch } from './datagram-batch.ts';
import { nodeSrtpCrypto } from './srtp-cipher.ts';

const profiles = Object.keys(SRTP_PROFILES) as readonly SrtpProfileName[];

function keysOf(profile: SrtpProfileName, masterKeyIdentifier?: Uint8Array): SrtpKeys {
  const { keyBytes, saltBytes } = SRTP_PROFILES[profile];
  const keys = { profile, masterKey: randomBytes(keyBytes), masterSalt: randomBytes(saltBytes) };
  return masterKeyIdentifier === undefined ? keys : { ...keys, masterKeyIdentifier };
}

function rtp(sequenceNumber: number, ssrc = 0x1234_5678, payload: Uint8Array = Uint8Array.of(1, 2, 3)): Uint8Array {
  const bytes = new Uint8Array(12 + payload.length);
  bytes.set([0x80, 96, sequenceNumber >>> 8, sequenceNumber & 0xff]);
  new DataView(bytes.buffer).setUint32(8, ssrc);
  bytes.set(payload, 12);
  return bytes;
}

/** As long as a genuine one, of the same SSRC. */
function forged(sequenceNumber: number): Uint8Array {
  return rtp(sequenceNumber, 0x1234_5678, randomBytes(20));
}

function rtcp(ssrc = 0x1234_5678): Uint8Array {
  const bytes = new Uint8Array(28);
  bytes.set([0x80, 200, 0, 6]);
  new DataView(bytes.buffer).setUint32(4, ssrc);
  return bytes;
}

/** Protects in the middle of a larger buffer. Gives a Buffer, as a socket does. Undefined when refused. */
function protect(sender: SrtpSender, packet: Uint8Array, kind: 'Rtp' | 'Rtcp' = 'Rtp'): Buffer | undefined {
  const bytes = Buffer.alloc(packet.length + 200, 0xee);
  bytes.set(packet, 7);
  const end = sender[`protect${kind}`](bytes, 7, 7 + packet.length);
  if (end === 0) return undefined;
  expect(bytes.subarray(end).every((byte) => byte === 0xee)).toBe(true);
  expect(bytes.subarray(0, 7).every((byte) => byte === 0xee)).toBe(true);
  return bytes.subarray(7, end);
}

function unprotect(receiver: SrtpReceiver, packet: Uint8Array, kind: 'Rtp' | 'Rtcp' = 'Rtp'): Uint8Array | undefined {
  const bytes = Buffer.alloc(packet.length + 10, 0xdd);
  bytes.set(packet, 5);
  const end = receiver[`unprotect${kind}`](bytes, 5, 5 + packet.length);
  if (end > 0) return Uint8Array.from(bytes.subarray(5, end));
  expect(bytes.subarray(5, 5 + packet.length)).toEqual(Buffer.from(packet));
  return undefined;
}

function pair(keys: SrtpKeys, options: SrtpReceiverOptions = {}): { sender: SrtpSender; receiver: SrtpReceiver } {
  return { sender: new SrtpSender(keys, nodeSrtpCrypto), receiver: new SrtpReceiver(keys, nodeSrtpCrypto, options) };
}

/** Lets the sender send `count` packets, each `step` after the other, that nobody receives. */
function sendLost(sender: SrtpSender, from: number, count: number, step = 1): void {
  for (let i = 0; i < count; i++) protect(sender, rtp((from + i * step) & 0xffff));
}

describe('SRTP', () => {
  it('makes the packet of libsrtp’s own test', () => {
    const sender = new SrtpSender(
      {
        profile: 'AES_CM_128_HMAC_SHA1_80',
        masterKey: Buffer.from('e1f97a0d3e018be0d64fa32c06de4139', 'hex'),
        masterSalt: Buffer.from('0ec675ad498afeebb6960b3aabe6', 'hex'),
      },
      nodeSrtpCrypto,
    );
    const packet = Buffer.from(`800f1234decafbadcafebabe${'ab'.repeat(16)}`, 'hex');
    expect(protect(sender, packet)?.toString('hex')).toBe(
      '800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb',
    );
  });

  describe.each(profiles)('%s', (profile) => {
    const identifiers = [undefined, Uint8Array.of(9), Uint8Array.from({ length: 128 }, (_, i) => i)];

    it.each(identifiers)('gives back any packet, with master key identifier %s', (identifier) => {
      const { sender, receiver } = pair(keysOf(profile, identifier));
      let sequenceNumber = 65_000;
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 1500 }), (payload) => {
          sequenceNumber = (sequenceNumber + 1) & 0xffff;
          const packet = rtp(sequenceNumber, 5, payload);
          const sealed = protect(sender, packet)!;
          expect(sealed.length).toBe(packet.length + sender.rtpOverheadBytes);
          if (payload.length > 8) expect(sealed.includes(payload)).toBe(false);
          expect(unprotect(receiver, sealed)).toEqual(packet);
          const report = rtcp(5);
          const sealedReport = protect(sender, report, 'Rtcp')!;
          expect(sealedReport.length).toBe(report.length + sender.rtcpOverheadBytes);
          expect(unprotect(receiver, sealedReport, 'Rtcp')).toEqual(report);
        }),
        { numRuns: 50 },
      );
      expect(receiver.dropped).toEqual({ malformed: 0, replayed: 0, unauthentic: 0, overLimit: 0 });
    });

    it('protects the packets of a batch as it does each alone', () => {
      const keys = keysOf(profile, Uint8Array.of(1, 2));
      const packets = Array.from({ length: 70 }, (_, i) => rtp(65_500 + i, 7, randomBytes(i * 20)));
      const frames = packets.flatMap((p, i) => [Buffer.of(0x24, i % 7 === 3 ? 4 : 2, p.length >>> 8, p.length), p]);
      const batch = new InterleavedBatch(Buffer.concat(frames), 2);
      const batched = new SrtpSender(keys, nodeSrtpCrypto);
      const single = new SrtpSender(keys, nodeSrtpCrypto);
      const sealed = new InterleavedBatch(batched.protectFrames(batch, 0), 0);
      const expected = packets.filter((_, i) => i % 7 !== 3).map((packet) => protect(single, packet));
      expect(sealed.offsets.map((at, i) => Buffer.from(sealed.bytes.subarray(at, at + sealed.sizes[i]!)))).toEqual(
        expected,
      );
      // Again: every index was used.
      expect(batched.protectFrames(batch, 0).length).toBe(0);
      expect(batched.refusedPackets).toBe(60);
    });

    it('refuses packets altered anywhere', () => {
      const { sender, receiver } = pair(keysOf(profile));
      for (const kind of ['Rtp', 'Rtcp'] as const) {
        const sealed = protect(sender, kind === 'Rtp' ? rtp(9) : rtcp(), kind)!;
        for (let i = 0; i < sealed.length; i++) {
          const altered = Buffer.from(sealed);
          altered[i]! ^= 0x01;
          expect(unprotect(receiver, altered, kind)).toBeUndefined();
        }
        expect(unprotect(receiver, sealed, kind)).toBeDefined();
      }
    });

    it('takes each packet once, in any order within its window', () => {
      const { sender, receiver } = pair(keysOf(profile));
      const sealed = Array.from({ length: 300 }, (_, i) => protect(sender, rtp((65_400 + i) & 0xffff))!);
      const at = (i: number): boolean => unprotect(receiver, sealed[i]!) !== undefined;
      expect([at(0), at(128), at(1), at(1), at(127), at(0)]).toEqual([true, true, true, false, true, false]);
      expect([at(299), at(172), at(171), at(299)]).toEqual([true, true, false, false]);
      expect(receiver.dropped).toMatchObject({ replayed: 4, unauthentic: 0 });
      const report = protect(sender, rtcp(), 'Rtcp')!;
      expect(unprotect(receiver, report, 'Rtcp')).toBeDefined();
      expect(unprotect(receiver, report, 'Rtcp')).toBeUndefined();
    });

    it('refuses what another key protected', () => {
      const { sender } = pair(keysOf(profile));
      const { receiver } = pair(keysOf(profile));
      expect(unprotect(receiver, protect(sender, rtp(1))!)).toBeUndefined();
      expect(unprotect(receiver, protect(sender, rtcp(), 'Rtcp')!, 'Rtcp')).toBeUndefined();
      expect(receiver.dropped.unauthentic).toBe(2);
    });
  });

  describe('rollover counter', () => {
    it.each([0, 1, 32_767, 32_768, 65_535])('follows three wraps from sequence number %i', (first) => {
      const { sender, receiver } = pair(keysOf('AES_CM_128_HMAC_SHA1_80'));
      for (let i = 0; i < 200; i++) {
        expect(unprotect(receiver, protect(sender, rtp((first + i * 1000) & 0xffff))!)).toBeDefined();
      }
      expect(sender.rolloverCounter(0x1234_5678)).toBe(Math.floor((first + 199_000) / 65_536));
      expect(sender.rolloverCounter(1)).toBeUndefined();
    });

    it.each([20_000, 40_000, 65_535, 65_536, 70_000, 90_000])('is found again after %i lost packets', (lost) => {
      const { sender, receiver } = pair(keysOf('AES_CM_128_HMAC_SHA1_80'));
      expect(unprotect(receiver, protect(sender, rtp(60_000))!)).toBeDefined();
      for (let i = 500; i <= lost; i += 500) protect(sender, rtp((60_000 + i) & 0xffff));
      for (let i = 1; i < 50; i++) {
        expect(unprotect(receiver, protect(sender, rtp((60_000 + lost + i) & 0xffff))!)).toBeDefined();
      }
    });

    it('is found by one who joins after the first wrap', () => {
      const { sender, receiver } = pair(keysOf('AEAD_AES_128_GCM'));
      sendLost(sender, 65_530, 10);
      expect(unprotect(receiver, protect(sender, rtp(4))!)).toBeDefined();
    });

    it('is taken from signalling for who joins later', () => {
      const ssrc = 0x1234_5678;
      const keys = keysOf('AEAD_AES_128_GCM');
      const sender = new SrtpSender(keys, nodeSrtpCrypto);
      sendLost(sender, 0, 40, 10_000);
      const rolloverCounter = sender.rolloverCounter(ssrc)!;
      expect(rolloverCounter).toBe(5);
      const sealed = protect(sender, rtp(400_000 & 0xffff))!;
      expect(unprotect(new SrtpReceiver(keys, nodeSrtpCrypto), sealed)).toBeUndefined();
      const rolloverCounters = new Map([[ssrc, 6]]);
      expect(unprotect(new SrtpReceiver(keys, nodeSrtpCrypto, { rolloverCounters }), sealed)).toBeDefined();
    });

    it('is not lost through a flood of forged packets', () => {
      const { sender, receiver } = pair(keysOf('AES_CM_128_HMAC_SHA1_32'));
      expect(unprotect(receiver, protect(sender, rtp(60_000))!)).toBeDefined();
      for (let i = 1; i <= 100; i++) unprotect(receiver, forged(60_000 + i));
      expect(receiver.dropped.unauthentic).toBe(100);
      for (let i = 500; i <= 40_000; i += 500) protect(sender, rtp((60_000 + i) & 0xffff));
      const heard = Array.from({ length: 50 }, (_, i) => unprotect(receiver, protect(sender, rtp(34_465 + i))!));
      expect(heard.slice(20).every((packet) => packet !== undefined)).toBe(true);
    });

    it('is looked for no more than twice a forged packet at first, and seldom later', () => {
      let opened = 0;
      const counting: SrtpCrypto = {
        ...nodeSrtpCrypto,
        createCipher: (options) => {
          const cipher = nodeSrtpCrypto.createCipher(options);
          const open = (job: SrtpJob): boolean => ++opened > 0 && cipher.open(job);
          return { seal: (jobs, count) => cipher.seal(jobs, count), open };
        },
      };
      const keys = keysOf('AES_CM_128_HMAC_SHA1_80');
      const receiver = new SrtpReceiver(keys, counting);
      expect(unprotect(receiver, protect(new SrtpSender(keys, nodeSrtpCrypto), rtp(1000))!)).toBeDefined();
      opened = 0;
      for (let i = 1; i <= 1600; i++) unprotect(receiver, forged(1000 + i));
      expect(opened).toBeLessThanOrEqual(1600 + 16 + 100);
    });
  });

  it('takes SRTCP that is signed and not encrypted', () => {
    const report = rtcp();
    const word = Buffer.from([0, 0, 0, 7]);
    const cm = keysOf('AES_CM_128_HMAC_SHA1_32');
    const mac = createHmac('sha1', deriveKey(nodeSrtpCrypto, cm, 4, 20))
      .update(report)
      .update(word)
      .digest();
    const signed = Buffer.concat([report, word, mac.subarray(0, 10)]);
    expect(unprotect(new SrtpReceiver(cm, nodeSrtpCrypto), signed, 'Rtcp')).toEqual(report);

    const gcm = keysOf('AEAD_AES_128_GCM');
    const iv = Buffer.from(deriveKey(nodeSrtpCrypto, gcm, 5, 12));
    // SSRC and index of the packet.
    iv.writeUInt32BE((iv.readUInt32BE(2) ^ 0x1234_5678) >>> 0, 2);
    iv[11]! ^= 7;
    const cipher = createCipheriv('aes-128-gcm', deriveKey(nodeSrtpCrypto, gcm, 3, 16), iv);
    cipher.setAAD(Buffer.concat([report, word])).final();
    const aead = Buffer.concat([report, cipher.getAuthTag(), word]);
    const receiver = new SrtpReceiver(gcm, nodeSrtpCrypto);
    expect(unprotect(receiver, aead, 'Rtcp')).toEqual(report);
    aead[10]! ^= 1;
    expect(unprotect(new SrtpReceiver(gcm, nodeSrtpCrypto), aead, 'Rtcp')).toBeUndefined();
  });

  it('does not take the encryption flag from anyone', () => {
    const keys = keysOf('AEAD_AES_128_GCM');
    const { sender, receiver } = pair(keys);
    const sealed = protect(sender, rtcp(), 'Rtcp')!;
    sealed[sealed.length - 4]! &= 0x7f;
    expect(unprotect(receiver, sealed, 'Rtcp')).toBeUndefined();
    expect(receiver.dropped.unauthentic).toBe(1);
  });

  it.each([0, 1, 11, 12, 21, 22, 27])('drops %i bytes as malformed', (sizeBytes) => {
    const { sender, receiver } = pair(keysOf('AEAD_AES_128_GCM'));
    const bytes = new Uint8Array(sizeBytes).fill(0x80);
    expect(unprotect(receiver, bytes)).toBeUndefined();
    expect(unprotect(receiver, bytes.subarray(0, 20), 'Rtcp')).toBeUndefined();
    expect(receiver.dropped.malformed).toBe(2);
    expect(sender.protectRtp(bytes, 0, Math.min(sizeBytes, 11))).toBe(0);
    expect(sender.protectRtcp(bytes, 0, Math.min(sizeBytes, 7))).toBe(0);
    expect(sender.refusedPackets).toBe(2);
  });

  it('drops a packet with another master key identifier', () => {
    const keys = keysOf('AES_CM_128_HMAC_SHA1_80', Uint8Array.of(1, 2));
    const sealed = protect(new SrtpSender(keys, nodeSrtpCrypto), rtp(1))!;
    const other = { ...keys, masterKeyIdentifier: Uint8Array.of(1, 3) };
    const receiver = new SrtpReceiver(other, nodeSrtpCrypto);
    expect(unprotect(receiver, sealed)).toBeUndefined();
    expect(receiver.dropped.malformed).toBe(1);
  });

  it('refuses to protect without room for the tag, and anything over 65,535 bytes', () => {
    const sender = new SrtpSender(keysOf('AES_CM_128_HMAC_SHA1_80'), nodeSrtpCrypto);
    const bytes = new Uint8Array(70_000);
    bytes.set(rtp(1));
    expect(sender.protectRtp(bytes.subarray(0, 24), 0, 15)).toBe(0);
    expect(sender.protectRtcp(bytes.subarray(0, 41), 0, 28)).toBe(0);
    expect(sender.protectRtp(bytes, 0, 65_526)).toBe(0);
    expect(sender.protectRtp(bytes, 0, 65_525)).toBe(65_535);
    expect(sender.refusedPackets).toBe(3);
  });

  it.each([
    ['AES_CM_128_HMAC_SHA1_80', true],
    ['AEAD_AES_128_GCM', false],
  ] as const)(
    '%s protects a packet that was protected before, when it is said to be a repeat: %s',
    (profile, isAllowed) => {
      const sender = new SrtpSender(keysOf(profile), nodeSrtpCrypto);
      const seal = (sequenceNumber: number, isRepeat: boolean): Uint8Array | undefined => {
        const packet = rtp(sequenceNumber);
        const room = new Uint8Array(packet.length + sender.rtpOverheadBytes);
        room.set(packet);
        const end = sender.protectRtp(room, 0, packet.length, isRepeat);
        return end === 0 ? undefined : room.subarray(0, end);
      };
      const first = seal(1, false)!;
      for (let i = 2; i < 300; i++) expect(seal(i, false)).toBeDefined();
      expect(seal(1, false)).toBeUndefined();
      expect(seal(1, true)).toEqual(isAllowed ? first : undefined);
      // Saying so of what is new does no harm: it is not new any more then.
      expect(seal(300, true)).toBeDefined();
      expect(seal(300, false)).toBeUndefined();
    },
  );

  it('keeps state of so many SSRCs and of no forged one', () => {
    const keys = keysOf('AES_CM_128_HMAC_SHA1_80');
    const { sender, receiver } = pair(keys);
    const another = new SrtpSender(keys, nodeSrtpCrypto);
    for (let ssrc = 0; ssrc < 1000; ssrc++) {
      unprotect(receiver, Uint8Array.from([...rtp(1, ssrc), ...new Uint8Array(10)]));
    }
    expect(receiver.dropped.unauthentic).toBe(1000);
    for (let ssrc = 0; ssrc < MAX_SENT_SSRCS; ssrc++) {
      expect(unprotect(receiver, protect(sender, rtp(1, ssrc))!)).toBeDefined();
      expect(unprotect(receiver, protect(sender, rtcp(ssrc), 'Rtcp')!, 'Rtcp')).toBeDefined();
    }
    const more = 0xffff_fff0;
    expect(protect(sender, rtp(1, more))).toBeUndefined();
    expect(protect(sender, rtcp(more), 'Rtcp')).toBeUndefined();
    expect(protect(sender, rtp(2, 0))).toBeDefined();
    expect(MAX_RECEIVED_SSRCS).toBe(MAX_SENT_SSRCS);
    expect(unprotect(receiver, protect(another, rtp(1, more))!)).toBeUndefined();
    expect(unprotect(receiver, protect(another, rtcp(more), 'Rtcp')!, 'Rtcp')).toBeUndefined();
    expect(receiver.dropped.overLimit).toBe(2);
  });

  it.each([
    ['AES_CM_128_HMAC_SHA1_80', 15, 14, 0],
    ['AES_CM_128_HMAC_SHA1_80', 16, 12, 0],
    ['AEAD_AES_128_GCM', 16, 14, 0],
    ['AEAD_AES_256_GCM', 16, 12, 0],
    ['AEAD_AES_256_GCM', 32, 12, 129],
  ] as const)('refuses for %s a key of %i, salt of %i and identifier of %i bytes', (profile, key, salt, identifier) => {
    const keys = {
      profile,
      masterKey: new Uint8Array(key),
      masterSalt: new Uint8Array(salt),
      masterKeyIdentifier: new Uint8Array(identifier),
    };
    expect(() => new SrtpSender(keys, nodeSrtpCrypto)).toThrow(expect.objectContaining({ code: 'srtp/bad-key' }));
    expect(() => new SrtpReceiver(keys, nodeSrtpCrypto)).toThrow(expect.objectContaining({ code: 'srtp/bad-key' }));
  });
});
