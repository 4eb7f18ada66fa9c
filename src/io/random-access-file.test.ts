import { mkdtempSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { RandomAccessFile, READ_AHEAD_BYTES } from './random-access-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-random-access-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const content = Uint8Array.from({ length: 5 * READ_AHEAD_BYTES + 77 }, (_, i) => (i * 7 + (i >>> 8)) & 0xff);

function makeFile(name: string, bytes: Uint8Array = content): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('RandomAccessFile', () => {
  it('gives the bytes of any place, fewer only at the end', async () => {
    const file = await RandomAccessFile.open(makeFile('any'));
    expect(file.sizeBytes).toBe(content.length);
    await fc.assert(
      fc.asyncProperty(fc.nat(content.length + 100), fc.nat(3 * READ_AHEAD_BYTES), async (offset, sizeBytes) => {
        expect(Buffer.compare(await file.read(offset, sizeBytes), content.slice(offset, offset + sizeBytes))).toBe(0);
      }),
      { numRuns: 200 },
    );
    await file.close();
  });

  it('gives every reader a buffer of its own, reads at once included', async () => {
    const file = await RandomAccessFile.open(makeFile('own'));
    const [one, two] = await Promise.all([file.read(0, 16), file.read(0, 16)]);
    one.fill(0xee);
    expect(two).toEqual(content.slice(0, 16));
    expect(await file.read(0, 16)).toEqual(content.slice(0, 16));
    await file.close();
  });

  it('gives nothing of an empty file', async () => {
    const file = await RandomAccessFile.open(makeFile('empty', new Uint8Array(0)));
    expect((await file.read(0, 10)).length).toBe(0);
    await file.close();
  });

  it.each([
    ['no file', 'nothing-here', 'file/not-found'],
    ['a folder', '.', 'file/not-readable'],
  ])('refuses %s', async (_name, path, code) => {
    await expect(RandomAccessFile.open(join(folder, path))).rejects.toMatchObject({ code });
  });

  it.each([
    ['grown', (path: string) => writeFileSync(path, new Uint8Array(content.length + 1))],
    ['shorter', (path: string) => writeFileSync(path, new Uint8Array(10))],
    ['written over', (path: string) => utimesSync(path, 1, 1)],
  ])('notices with the next read from the disk that the file was %s', async (name, change) => {
    const path = makeFile(name);
    const file = await RandomAccessFile.open(path);
    await file.read(0, 10);
    expect(await file.isChanged()).toBe(false);
    change(path);
    await expect(file.read(4 * READ_AHEAD_BYTES, 10)).rejects.toMatchObject({ code: 'file/changed' });
    await expect(file.read(0, 2 * READ_AHEAD_BYTES)).rejects.toMatchObject({ code: 'file/changed' });
    expect(await file.isChanged()).toBe(true);
    await file.close();
  });

  it('reads on when another file took its name, and says so when asked', async () => {
    const path = makeFile('replaced');
    const file = await RandomAccessFile.open(path);
    unlinkSync(path);
    expect(await file.isChanged()).toBe(true);
    writeFileSync(path, content);
    expect((await file.read(100, 3)).length).toBe(3);
    expect(await file.isChanged()).toBe(true);
    await file.close();
  });

  it('reads no more when closed, which may be said twice', async () => {
    const file = await RandomAccessFile.open(makeFile('closed'));
    await file.close();
    await file.close();
    await expect(file.read(0, 1)).rejects.toMatchObject({ code: 'file/closed' });
  });
});
