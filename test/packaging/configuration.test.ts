import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FILE = join(ROOT, 'packaging/bailiff.toml');

function load(configPath: string) {
  return loadConfig({ configPath, uid: 0, env: {}, filtersInUseOnly: true });
}

/** Loads the file with those commented lines in force that are TOML. */
function loadUncommented(t: TestContext, file: string) {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-configuration-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const text = readFileSync(file, 'utf8').replaceAll(/^# *(?=\[|[a-z_.]+ = )/gm, '');
  const configPath = join(directory, 'bailiff.toml');
  writeFileSync(configPath, text);
  return load(configPath);
}

test('the configuration of a package protects SSH, and listens to nobody but this host', () => {
  const { plan, problems, warnings } = load(FILE);
  assert.deepEqual({ problems, warnings }, { problems: [], warnings: [] });
  assert.deepEqual(
    plan?.jails.map(({ policy }) => policy.name),
    ['sshd', 'manual'],
  );
  assert.deepEqual([plan?.syslog.udp, plan?.syslog.tcp], [[], []]);
  assert.deepEqual(
    plan?.metrics.listen.map(({ host }) => host),
    ['127.0.0.1'],
  );
});

test('editors find the schema that the package installs', () => {
  const [first = ''] = readFileSync(FILE, 'utf8').split('\n');
  assert.equal(first, '#:schema file:///usr/share/bailiff/schema/bailiff.schema.json');
});

for (const name of ['packaging/bailiff.toml', 'etc/bailiff.toml']) {
  test(`what ${name} has in comments loads once it is none`, (t) => {
    const { plan, problems } = loadUncommented(t, join(ROOT, name));
    assert.deepEqual(problems, []);
    assert.deepEqual(plan?.syslog.unix, ['/run/bailiff/log.sock']);
    assert.equal(plan?.syslog.tls.length, 2);
    assert.deepEqual(
      plan?.senders.configured.map(({ name }) => name),
      ['nas1'],
    );
  });
}
