import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeRsyslog } from '../../../src/cli/fail2ban/log-files.ts';
import { makeDirectory } from '../../http/running-server.ts';

const RSYSLOGD = '/usr/sbin/rsyslogd';

test('rsyslogd understands a path whatever it holds, and nothing behind its quotation mark', (t) => {
  if (!existsSync(RSYSLOGD)) return t.skip('rsyslogd is not there: apt-get install rsyslog');
  const directory = makeDirectory(t);
  const inputs = ['/var/log/shop.log', '/var/log/a "b" $c \\d.log', '/var/log/") stop {'].map((file) => ({
    file,
    tag: 'shop',
    jails: ['shop'],
  }));
  const path = join(directory, 'files.conf');
  writeFileSync(path, `global(workDirectory="${directory}")\n${writeRsyslog(inputs)}*.* stop\n`);
  const { status, stderr } = spawnSync(RSYSLOGD, ['-N1', '-f', path], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});
