/** How long `bailiff match` and `bailiff explain` take over lines of 64 KiB that nearly match. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { MatchReport } from '../../../../src/cli/filter-tools/match-output.ts';
import { makeDirectory } from '../../../http/running-server.ts';
import { run } from '../../fake-terminal.ts';

const DOOR = fileURLToPath(new URL('../../filters/door.toml', import.meta.url));

/** Of processor time, for all of these lines. */
const MAX_MICROSECONDS = 5_000_000;

const LINES = [
  `refused ${'root from '.repeat(6_500)}`,
  // A line that is longer than its rule can be may have been cut: it is nobody's.
  `refused ${'x'.repeat(65_000)} from 203.0.113.9`,
  'refused root from 203.0.113.9',
  'refused root from 203.0.113.9 '.repeat(2_180),
  '\0'.repeat(65_536),
  `${'['.repeat(30_000)}${'{'.repeat(30_000)}`,
  `{"a":${'['.repeat(60_000)}`,
];

test('match takes no time that is felt', async (t) => {
  const path = join(makeDirectory(t), 'long.log');
  writeFileSync(path, LINES.join('\n'));
  const started = process.cpuUsage();
  const { out } = await run(['match', '--filter', DOOR, path, '--as', 'message', '--json']);
  await run(['match', '--filter', DOOR, path, '--as', 'message', '--summary']);
  const { user, system } = process.cpuUsage(started);
  assert.deepEqual(
    out.split('\n').map((line) => (JSON.parse(line) as MatchReport).line),
    [3],
  );
  assert.ok(user + system < MAX_MICROSECONDS, `${user + system} µs`);
});

test('explain takes no time that is felt, beyond that of proving the filters for the first time', async () => {
  await run(['explain', '--filter', DOOR, '--as', 'message', 'short']);
  const started = process.cpuUsage();
  for (const line of [LINES[0] ?? '', '\0'.repeat(65_000)])
    await run(['explain', '--filter', DOOR, '--as', 'message', line]);
  const { user, system } = process.cpuUsage(started);
  assert.ok(user + system < MAX_MICROSECONDS, `${user + system} µs`);
});
