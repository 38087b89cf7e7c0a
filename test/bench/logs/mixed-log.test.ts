import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyslogParser } from '../../../src/syslog/parse.ts';
import { generateMixedLog, SHARES } from './mixed-log.ts';

test('the same seed gives the same lines, another one others', () => {
  const lines = [...generateMixedLog(1, 500)];
  assert.equal(lines.length, 500);
  assert.deepEqual([...generateMixedLog(1, 500)], lines);
  assert.notDeepEqual([...generateMixedLog(2, 500)], lines);
});

test('every line says who wrote it, and each kind of writer has its share', () => {
  const parser = new SyslogParser();
  const counts = new Map<string, number>();
  for (const line of generateMixedLog(1, 10_000)) {
    const bytes = Buffer.from(line);
    const record = parser.parse(bytes, 0, bytes.length, { at: 0, source: 'file', sender: '' });
    assert.equal(record?.hostname, 'web1', line);
    const kind = kindOf(record.identifier);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  for (const [kind, percent] of Object.entries(SHARES)) {
    const found = (counts.get(kind) ?? 0) / 100;
    assert.ok(Math.abs(found - percent) < 2, `${kind}: ${found} %`);
  }
});

function kindOf(identifier: string): string {
  if (identifier === 'sshd' || identifier === 'kernel') return identifier;
  if (identifier.startsWith('postfix/') || identifier === 'dovecot') return 'mail';
  return identifier === 'nginx' || identifier === 'apache2' ? 'web' : 'noise';
}
