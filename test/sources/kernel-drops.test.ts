import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDrops, readKernelDrops } from '../../src/sources/kernel-drops.ts';

const HEAD =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops';

function row(local: string, drops: number): string {
  return ` 1234: ${local} 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 ${drops}        `;
}

test('a socket is found by its address and port', () => {
  const table = [HEAD, row('0100007F:158A', 1), row('00000000:158A', 2), row('0100007F:0202', 3), ''].join(
    '\n',
  );
  assert.equal(findDrops(table, '127.0.0.1', 0x158a), 1);
  assert.equal(findDrops(table, '0.0.0.0', 0x158a), 2);
  assert.equal(findDrops(table, '127.0.0.1', 514), 3);
  assert.equal(findDrops(table, '127.0.0.1', 515), null);
  assert.equal(findDrops('', '127.0.0.1', 514), null);
});

test('so is an IPv6 one', () => {
  const table = [
    HEAD,
    row('00000000000000000000000001000000:0202', 1),
    row('00000000000000000000000000000000:0202', 2),
    row('B80D0120000000000000000007000000:0202', 3),
  ].join('\n');
  assert.equal(findDrops(table, '::1', 514), 1);
  assert.equal(findDrops(table, '::', 514), 2);
  assert.equal(findDrops(table, '2001:db8::7', 514), 3);
});

test('a port on which nobody listens has no count', async () => {
  assert.equal(await readKernelDrops('127.0.0.1', 1), null);
});
