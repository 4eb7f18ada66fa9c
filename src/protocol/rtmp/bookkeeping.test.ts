import { describe, expect, it } from 'vitest';
import { ACKNOWLEDGEMENT_RESTART, AcknowledgementWindow } from './acknowledgement.ts';
import { MessageStreamTable, RTMP_MAX_MESSAGE_STREAMS } from './message-stream-table.ts';
import { PublisherIdentification } from './publisher-identification.ts';

describe('acknowledgement window', () => {
  it('acknowledges nothing until the peer names a window', () => {
    const window = new AcknowledgementWindow();
    expect(window.onReceived(1_000_000_000)).toBeUndefined();
  });

  it('acknowledges all that came at each half window', () => {
    const window = new AcknowledgementWindow();
    window.setPeerWindow(1000);
    expect(window.onReceived(499)).toBeUndefined();
    expect(window.onReceived(1)).toBe(500);
    expect(window.onReceived(499)).toBeUndefined();
    expect(window.onReceived(600)).toBe(1599);
  });

  it('stops when the peer sets a window of 0', () => {
    const window = new AcknowledgementWindow();
    window.setPeerWindow(1000);
    window.setPeerWindow(0);
    expect(window.onReceived(5000)).toBeUndefined();
  });

  it('keeps to its own window when it has one', () => {
    const window = new AcknowledgementWindow(100);
    window.setPeerWindow(1_000_000);
    expect(window.onReceived(50)).toBe(50);
  });

  it('starts counting again past 0xf0000000', () => {
    const window = new AcknowledgementWindow(2);
    expect(window.onReceived(ACKNOWLEDGEMENT_RESTART - 1)).toBe(ACKNOWLEDGEMENT_RESTART - 1);
    expect(window.onReceived(1)).toBe(ACKNOWLEDGEMENT_RESTART);
    expect(window.onReceived(7)).toBe(7);
  });

  it('counts what the peer has not acknowledged, over the wrap at 2^32', () => {
    const window = new AcknowledgementWindow();
    window.onSent(0xffff_fff0);
    expect(window.unacknowledgedBytes).toBe(0xffff_fff0);
    window.onAcknowledged(0xffff_ff00);
    expect(window.unacknowledgedBytes).toBe(0xf0);
    window.onSent(0x20);
    window.onAcknowledged(0x10);
    expect(window.unacknowledgedBytes).toBe(0);
  });

  it('believes no acknowledgement of more than was sent', () => {
    const window = new AcknowledgementWindow();
    window.onSent(10);
    window.onAcknowledged(1000);
    expect(window.unacknowledgedBytes).toBe(0);
    window.onSent(10);
    expect(window.unacknowledgedBytes).toBe(10);
  });
});

describe('message streams', () => {
  it('get the ids 1, 2, 3, and free ones again', () => {
    const table = new MessageStreamTable();
    expect([table.create()?.id, table.create()?.id, table.create()?.id]).toEqual([1, 2, 3]);
    table.delete(2);
    expect(table.create()?.id).toBe(2);
  });

  it('are bounded, but used-up ones make room', () => {
    const table = new MessageStreamTable();
    for (let i = 1; i <= RTMP_MAX_MESSAGE_STREAMS; i++) expect(table.create()?.id).toBe(i);
    expect(table.create()).toBeUndefined();
    expect(table.use(99)).toBeUndefined();
    table.get(5)!.isFresh = false;
    expect(table.create()?.id).toBe(5);
  });

  it('are made for clients that name one without createStream', () => {
    const table = new MessageStreamTable();
    expect(table.use(0)?.id).toBe(1);
    expect(table.use(7)?.id).toBe(7);
  });

  it('mean the one that waits when a client names 0', () => {
    const table = new MessageStreamTable();
    table.create()!.role = 'publishing';
    table.create();
    expect(table.use(0)?.id).toBe(2);
    table.get(2)!.role = 'playing';
    expect(table.use(0)?.id).toBe(1);
  });

  it('are found by id, or as the only one of their role', () => {
    const table = new MessageStreamTable();
    table.create()!.role = 'publishing';
    expect(table.find(1, 'publishing')?.id).toBe(1);
    expect(table.find(1, 'playing')).toBeUndefined();
    expect(table.find(0, 'publishing')?.id).toBe(1);
    table.create()!.role = 'publishing';
    expect(table.find(0, 'publishing')).toBeUndefined();
  });

  it('are found by the name published, parameters aside', () => {
    const table = new MessageStreamTable();
    const stream = table.create()!;
    stream.role = 'publishing';
    stream.streamName = 's?token=1';
    expect(table.findPublisher('s')).toBe(stream);
    expect(table.findPublisher('s?token=2')).toBe(stream);
    expect(table.findPublisher('t')).toBeUndefined();
  });
});

describe('publisher identification', () => {
  type Call = 'createStream' | 'FCPublish';
  it.each<[Call[], string]>([
    [[], 'flash'],
    [['createStream'], 'flash'],
    [['createStream', 'createStream', 'createStream'], 'flash'],
    [['FCPublish', 'createStream'], 'fmle'],
    [['FCPublish', 'FCPublish', 'createStream'], 'fmle'],
    [['createStream', 'FCPublish'], 'haivision'],
    [['createStream', 'createStream', 'FCPublish'], 'haivision'],
  ])('takes %j for %s', (calls, kind) => {
    const identification = new PublisherIdentification();
    for (const call of calls) {
      if (call === 'createStream') identification.onCreateStream();
      else identification.onFmleCall();
    }
    expect(identification.take()).toBe(kind);
    expect(identification.take()).toBe('flash');
  });
});
