import { describe, expect, it } from 'vitest';
import { KEY_FRAME_RETRY_MS, KeyFrameRequests, MAX_KEY_FRAME_SOURCES } from './key-frame-requests.ts';

describe('KeyFrameRequests', () => {
  it('asks once for many who want one, and once more when none comes', () => {
    const requests = new KeyFrameRequests();
    expect([requests.request(1, 0), requests.request(1, 5), requests.request(2, 5)]).toEqual([true, false, true]);
    expect(requests.nextTimeoutMs()).toBe(KEY_FRAME_RETRY_MS);
    expect(requests.takeDue(KEY_FRAME_RETRY_MS - 1)).toEqual([]);
    expect(requests.takeDue(KEY_FRAME_RETRY_MS)).toEqual([1]);
    expect(requests.takeDue(KEY_FRAME_RETRY_MS + 5)).toEqual([2]);
    expect(requests.takeDue(10 * KEY_FRAME_RETRY_MS)).toEqual([]);
    expect(requests.nextTimeoutMs()).toBeUndefined();
  });

  it('asks on and on while it is still wanted', () => {
    const requests = new KeyFrameRequests();
    requests.request(1, 0);
    for (let i = 1; i < 5; i++) {
      expect(requests.takeDue(i * KEY_FRAME_RETRY_MS)).toEqual([1]);
      expect(requests.request(1, i * KEY_FRAME_RETRY_MS + 500)).toBe(false);
    }
  });

  it('asks anew after a key frame came', () => {
    const requests = new KeyFrameRequests();
    requests.request(1, 0);
    requests.receive(1);
    expect(requests.takeDue(KEY_FRAME_RETRY_MS)).toEqual([]);
    expect(requests.request(1, KEY_FRAME_RETRY_MS)).toBe(true);
  });

  it('holds requests for the delay of the producer, and asks at its end', () => {
    const requests = new KeyFrameRequests(300);
    expect(requests.request(1, 0)).toBe(true);
    requests.receive(1);
    expect([requests.request(1, 100), requests.request(1, 200)]).toEqual([false, false]);
    expect(requests.nextTimeoutMs()).toBe(300);
    expect(requests.takeDue(300)).toEqual([1]);
    requests.receive(1);
    expect(requests.takeDue(600)).toEqual([]);
    expect(requests.request(1, 601)).toBe(true);
  });

  it('asks even while a request is under way when forced', () => {
    const requests = new KeyFrameRequests();
    expect([requests.force(1, 0), requests.force(1, 500)]).toEqual([true, true]);
    expect(requests.takeDue(1000)).toEqual([]);
    expect(requests.takeDue(1500)).toEqual([1]);
  });

  it('forgets a source that is gone', () => {
    const requests = new KeyFrameRequests(100);
    requests.request(1, 0);
    requests.forget(1);
    expect(requests.nextTimeoutMs()).toBeUndefined();
    expect(requests.request(1, 1)).toBe(true);
  });

  it('keeps so many sources in mind and no more', () => {
    const requests = new KeyFrameRequests(10_000);
    for (let ssrc = 0; ssrc < MAX_KEY_FRAME_SOURCES; ssrc++) expect(requests.request(ssrc, 0)).toBe(true);
    expect(requests.request(1000, 0)).toBe(false);
  });
});
