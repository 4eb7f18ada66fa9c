import { expect, it } from 'vitest';
import { ConnectionTable } from './connection-table.ts';

it('never gives a number twice, whatever was deleted', () => {
  const table = new ConnectionTable<{ readonly id: number }>();
  for (let n = 1; n <= 3; n++) {
    const connection = { id: table.nextId() };
    expect(connection.id).toBe(n);
    table.add(connection);
    expect(table.get(n)).toBe(connection);
    table.delete(n);
    expect(table.get(n)).toBeUndefined();
  }
  expect(table.size).toBe(0);
});
