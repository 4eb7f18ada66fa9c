import { describe, expect, it } from 'vitest';
import { RTSP_MAX_HEADERS, RtspHeaders } from './rtsp-headers.ts';

describe('RtspHeaders', () => {
  it('finds names whatever their case and keeps them as given', () => {
    const headers = new RtspHeaders([['CSEQ', '7']]);
    expect(headers.get('CSeq')).toBe('7');
    expect(headers.has('cseq')).toBe(true);
    expect([...headers]).toEqual([['CSEQ', '7']]);
    expect(headers.get('Session')).toBeUndefined();
  });

  it('keeps several values of one name in order', () => {
    const headers = new RtspHeaders([
      ['WWW-Authenticate', 'Digest a'],
      ['CSeq', '1'],
      ['www-authenticate', 'Basic b'],
    ]);
    expect(headers.get('WWW-Authenticate')).toBe('Digest a');
    expect(headers.getAll('WWW-Authenticate')).toEqual(['Digest a', 'Basic b']);
    expect(headers.size).toBe(3);
  });

  it('sets in place of the first and takes the others away', () => {
    const headers = new RtspHeaders([
      ['A', '1'],
      ['B', '2'],
      ['a', '3'],
    ]);
    headers.set('a', '4').set('C', '5');
    expect([...headers.entries()]).toEqual([
      ['a', '4'],
      ['B', '2'],
      ['C', '5'],
    ]);
  });

  it('deletes all of a name and says whether there were any', () => {
    const headers = new RtspHeaders([
      ['A', '1'],
      ['a', '2'],
      ['B', '3'],
    ]);
    expect([headers.delete('A'), headers.delete('A'), headers.size]).toEqual([true, false, 1]);
  });

  it.each([
    ['a\r\nEvil: 1', 'a Evil: 1'],
    ['\n\n', ''],
    ['  a\tb ', 'a\tb'],
    ['a\u0000b', 'a b'],
  ])('makes of the value %j %j', (value, kept) => {
    expect(new RtspHeaders([['X', value]]).get('x')).toBe(kept);
  });

  it.each(['', 'a b', 'a:', 'é', 'a\n'])('refuses the name %j', (name) => {
    expect(() => new RtspHeaders().set(name, '')).toThrow(expect.objectContaining({ code: 'rtsp/bad-header-name' }));
  });

  it('holds a bounded number of lines', () => {
    const headers = new RtspHeaders();
    for (let i = 0; i < RTSP_MAX_HEADERS; i++) headers.append('X', '');
    expect(() => headers.append('X', '')).toThrow(expect.objectContaining({ code: 'rtsp/too-many-headers' }));
    expect(headers.set('X', '1').size).toBe(1);
  });
});
