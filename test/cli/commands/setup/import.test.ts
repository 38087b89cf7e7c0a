import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ImportReport } from '../../../../src/cli/fail2ban/import-run.ts';
import { makeDirectory } from '../../../http/running-server.ts';
import { assertGolden, run } from '../../fake-terminal.ts';

const EXAMPLE = fileURLToPath(new URL('../../../import/example', import.meta.url));

test('an import tells what becomes of everything, and changes nothing', async () => {
  const { status, out, error } = await run(['import', 'fail2ban', EXAMPLE, '--all']);
  assert.deepEqual([status, error], [0, '']);
  assertGolden('import', out);
});

test('with --write the result is a configuration that `bailiff check` finds good', async (t) => {
  const directory = join(makeDirectory(t), 'imported');
  const { status, out } = await run(['import', 'fail2ban', EXAMPLE, '--all', '--write', directory]);
  assert.equal(status, 0);
  assert.match(out, /7 files written to/);
  assert.deepEqual(readdirSync(join(directory, 'filters')), ['gate-strict.toml', 'gate.toml', 'shop.toml']);
  const checked = await run(['check', '--config', join(directory, 'bailiff.toml')]);
  assert.equal(checked.status, 0, checked.error);
  assert.match(checked.out, /jails: gate, manual\n/);
  assert.match(checked.error, /warning: filter `gate`: was imported and has no samples/);
  const found = await run(['import', 'fail2ban', EXAMPLE, '--all', '--write', directory, '--json']);
  const report = JSON.parse(found.out) as ImportReport;
  assert.deepEqual(report.jails, ['gate', 'gate-strict', 'shop']);
  assert.equal(
    report.written.length,
    6,
    'a second import overwrites what the first one wrote, but not bailiff.toml',
  );
});

test('what somebody has written himself is not overwritten, and then nothing is written', async (t) => {
  const directory = makeDirectory(t);
  mkdirSync(join(directory, 'filters'));
  writeFileSync(join(directory, 'filters', 'shop.toml'), 'description = "mine"\n');
  const { status, error } = await run(['import', 'fail2ban', EXAMPLE, '--all', '--write', directory]);
  assert.equal(status, 1);
  assert.match(error, /shop\.toml is there already, and was not written by an import/);
  assert.ok(!existsSync(join(directory, 'conf.d')));
});

test('another program, and a directory without a configuration, are refused', async (t) => {
  assert.equal((await run(['import', 'crowdsec'])).status, 2);
  const { status, error } = await run(['import', 'fail2ban', makeDirectory(t)]);
  assert.equal(status, 1);
  assert.match(error, /there is no configuration of fail2ban in/);
});

test('nothing in a configuration can drive the terminal', async (t) => {
  const directory = makeDirectory(t);
  mkdirSync(join(directory, 'filter.d'));
  writeFileSync(join(directory, 'jail.conf'), '[\x1b[2J\u202e]\nfilter = \x9b1m\n');
  writeFileSync(
    join(directory, 'filter.d', 'a.conf'),
    '[Definition]\nfailregex = ^(?P=\x1b) <HOST>\\\u202e\n\x1b\n',
  );
  const { out, error } = await run(['import', 'fail2ban', directory, '--all']);
  assert.doesNotMatch((out + error).replaceAll('\n', ''), /\p{C}/u);
});
