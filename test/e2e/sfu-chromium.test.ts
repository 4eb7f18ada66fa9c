/** One page of an application that sends and takes everything. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApplicationBrowser, PATIENCE } from './support/sfu-application.ts';

let browser: ApplicationBrowser;

beforeAll(async () => {
  browser = await ApplicationBrowser.open();
});

afterAll(() => browser.close());

describe('mediasoup-client in Chromium', () => {
  it.for(['udp', 'tcp'] as const)(
    'sees and hears over %s what it sends, and messages go both ways',
    async (protocol, context) => {
      const { application, sender: page } = await browser.scene(context, protocol);
      await page.run({ width: 320, height: 240, frameRate: 30 });
      const receiving = application.transports.get('receive');
      // What is sent to a consumer that is not connected yet is lost.
      await expect.poll(() => receiving?.sctpState, PATIENCE).toBe('connected');
      application.say();

      await expect.poll(async () => (await page.report()).framesDecoded, PATIENCE).toBeGreaterThan(10);
      await expect.poll(async () => (await page.report()).audioPackets, PATIENCE).toBeGreaterThan(10);
      await expect.poll(async () => (await page.report()).audioEnergy, PATIENCE).toBeGreaterThan(0);
      await expect.poll(async () => (await page.report()).messages, PATIENCE).toEqual(['from the server']);
      await expect.poll(() => application.messages, PATIENCE).toEqual(['from the page']);
      for (const transport of application.transports.values()) {
        expect(transport.iceSelectedTuple?.protocol).toBe(protocol);
        expect(transport.sctpState).toBe('connected');
      }
    },
  );
});
