import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSightReader, type FilterSight, judge, MIN_RECORDS } from '../../../src/cli/doctor/journal.ts';
import { loadFilter } from '../../../src/config/filters/filter-file.ts';
import { recordAt, START } from '../../daemon/parts.ts';

const DIRECTORY = { path: new URL('../../../etc/filters', import.meta.url).pathname, strict: false };
const { filter: SSHD } = loadFilter('sshd', DIRECTORY, false);
const ROOT = { uid: 0, unit: 'ssh.service', executable: '/usr/sbin/sshd' };

function sightOf(messages: readonly string[], trusted: typeof ROOT = ROOT): FilterSight | undefined {
  assert.ok(SSHD !== null);
  const reader = createSightReader([SSHD]);
  for (const [number, message] of messages.entries())
    reader.take(recordAt(START + number, { message, trusted }));
  return reader.sights()[0];
}

const FAILURE = 'Failed password for root from 203.0.113.9 port 40022 ssh2';
const codesOf = (sight: FilterSight | undefined) =>
  judge(sight === undefined ? [] : [sight]).map(({ code }) => code);

test('a filter that finds what it reads is well', () => {
  const sight = sightOf([FAILURE, 'Server listening on 0.0.0.0 port 22.']);
  assert.deepEqual([sight?.read, sight?.refused, sight?.matched], [2, 0, 1]);
  assert.deepEqual(codesOf(sight), []);
});

test("entries that name its identifier and are another user's are refused, and that is told", () => {
  const sight = sightOf([FAILURE], { uid: 1_000, unit: 'app.service', executable: '/usr/bin/app' });
  assert.deepEqual([sight?.read, sight?.refused, sight?.matched], [0, 1, 0]);
  assert.deepEqual(codesOf(sight), ['journal-fields-missing']);
});

test('one that reads much, nearly matches and finds nothing has fallen silent, as after an upgrade', () => {
  const changed = Array.from({ length: MIN_RECORDS }, () => 'Failed password for root at 203.0.113.9');
  const sight = sightOf(changed);
  assert.ok((sight?.near ?? 0) > 0);
  assert.deepEqual(codesOf(sight), ['filter-silent']);
  assert.deepEqual(codesOf(sightOf([...changed, FAILURE])), [], 'one match says that it works');
  assert.deepEqual(codesOf(sightOf(changed.slice(1))), [], 'a few lines say nothing');
  const harmless = Array.from({ length: 100 }, () => 'Server listening on 0.0.0.0 port 22.');
  assert.deepEqual(codesOf(sightOf(harmless)), [], 'nor does a quiet server');
});
