import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';

const FILE = resolve(import.meta.dirname, '../../packaging/bailiff.toml');

test('the configuration of a package protects SSH, and listens to nobody but this host', () => {
  const { plan, problems, warnings } = loadConfig({
    configPath: FILE,
    uid: 0,
    env: {},
    filtersInUseOnly: true,
  });
  assert.deepEqual({ problems, warnings }, { problems: [], warnings: [] });
  assert.deepEqual(
    plan?.jails.map(({ policy }) => policy.name),
    ['sshd'],
  );
  assert.deepEqual([plan?.syslog.udp, plan?.syslog.tcp], [[], []]);
  assert.deepEqual(
    plan?.metrics.listen.map(({ host }) => host),
    ['127.0.0.1'],
  );
});
