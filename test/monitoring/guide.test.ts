import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { makeDirectory } from '../http/running-server.ts';
import { BOARDS, etcPath } from './boards.ts';
import { guideCommands } from './guide.ts';

/** Directories that the packages of Prometheus and Grafana bring with them. */
const BROUGHT = [
  'etc/prometheus',
  'etc/grafana/provisioning/dashboards',
  'etc/grafana/provisioning/datasources',
];

const skip =
  spawnSync('promtool', ['--version']).error === undefined
    ? false
    : 'needs promtool: apt-get install prometheus';

describe('the commands of the guide', () => {
  test('put the files where Prometheus and Grafana look for them', { skip }, (t) => {
    const root = makeDirectory(t);
    for (const path of BROUGHT) mkdirSync(join(root, path), { recursive: true });
    cpSync(dirname(etcPath('prometheus')), join(root, 'usr/share/bailiff'), { recursive: true });
    const script = guideCommands()
      .filter((command) => /^(?:cd|install|promtool check) /.test(command))
      .map((command) =>
        command.replaceAll(/ \/(?=etc\/|usr\/|var\/)/g, ` ${root}/`).replace(/ && systemctl .*/, ''),
      );
    assert.ok(script.length >= 7);
    const { status, stdout, stderr } = spawnSync('sh', ['-ec', script.join('\n')], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /prometheus\.yml is valid/);
    assert.match(stdout, /SUCCESS: 2 rule files found/);
    const provisioning = join(root, 'etc/grafana/provisioning');
    const [, path = ''] =
      /^ +path: (\S+)$/m.exec(readFileSync(join(provisioning, 'dashboards/bailiff.yml'), 'utf8')) ?? [];
    assert.deepEqual(readdirSync(join(root, path)).sort(), BOARDS.map((name) => `${name}.json`).sort());
    assert.deepEqual(readdirSync(join(provisioning, 'datasources')), ['prometheus.yml']);
  });

  test('are the ones that the tests know, so that a new one is tried too', () => {
    const kinds = guideCommands().map(
      (command) => /^\S+(?: (?:query|check|install|restart)\b)?/.exec(command)?.[0],
    );
    assert.deepEqual(kinds, [
      'cd',
      'curl',
      'apt-get install',
      'install',
      'install',
      'promtool check',
      'promtool query',
      'install',
      'install',
      'install',
      'systemctl restart',
      'for',
    ]);
  });
});
