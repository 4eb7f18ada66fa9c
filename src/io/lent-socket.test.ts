import { describe, expect, it } from 'vitest';
import { LentSocket } from './lent-socket.ts';

function lend(): { readonly socket: LentSocket; readonly written: string[]; readonly returned: () => number } {
  const written: string[] = [];
  let returned = 0;
  const socket = new LentSocket({
    remoteAddress: '192.0.2.1',
    write: (bytes) => written.push(Buffer.from(bytes).toString()),
    onReturned: () => {
      returned++;
    },
  });
  return { socket, written, returned: () => returned };
}

describe('a connection that is lent', () => {
  it('gives what comes to who borrows it, and what is written to its owner', async () => {
    const { socket, written } = lend();
    const heard: string[] = [];
    socket.on('data', (bytes: Buffer) => heard.push(bytes.toString()));
    socket.write('one');
    socket.write('two');
    socket.receive(Buffer.from('three'));
    socket.receive(Buffer.from('four'));
    await new Promise(setImmediate);
    expect([written, heard.join('')]).toEqual([['one', 'two'], 'threefour']);
  });

  it('is returned once, and nothing comes by it afterwards', async () => {
    const { socket, returned } = lend();
    const heard: string[] = [];
    let closed = 0;
    socket.on('data', (bytes: Buffer) => heard.push(bytes.toString()));
    socket.on('close', () => closed++);
    socket.end();
    await new Promise(setImmediate);
    expect(returned()).toBe(0);
    socket.destroy();
    socket.destroy();
    socket.receive(Buffer.from('late'));
    await new Promise(setImmediate);
    expect([returned(), closed, heard]).toEqual([1, 1, []]);
  });
});
