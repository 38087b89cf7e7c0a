/** fail2ban's own configuration, as Debian installs it, with jails switched on and filters changed as people do. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MANUAL_JAIL } from '../../../src/core/ledger/policy.ts';
import { readConfig } from '../../../src/daemon/configuration/config-source.ts';
import { importFail2ban } from '../../../src/import/fail2ban/directory.ts';
import { counterpartOf } from '../../../src/import/fail2ban/stock.ts';
import { run } from '../../cli/fake-terminal.ts';
import { makeDirectory } from '../../http/running-server.ts';
import { FAIL2BAN_DIRECTORY, whyNoReference } from '../reference.ts';

const RSYSLOGD = '/usr/sbin/rsyslogd';

const ENABLED = [
  'sshd',
  'postfix',
  'dovecot',
  'nginx-http-auth',
  'nginx-botsearch',
  'apache-auth',
  'recidive',
];

/** Debian's configuration with the jails above, one of a filter of the user's, and one with a log file only. */
function makeConfiguration(t: TestContext): string {
  const directory = join(makeDirectory(t), 'fail2ban');
  cpSync(FAIL2BAN_DIRECTORY, directory, { recursive: true });
  const jails = ENABLED.map((name) => `[${name}]\nenabled = true\n`);
  const shop = '[shop]\nenabled = true\nport = https\nlogpath = /var/log/shop/access.log\n';
  const gitea = '[gitea]\nenabled = true\nport = 3000\nlogpath = /var/lib/gitea/log/gitea.log\n';
  writeFileSync(join(directory, 'jail.local'), `[DEFAULT]\nmaxretry = 4\n${jails.join('')}${shop}${gitea}`);
  writeFileSync(join(directory, 'filter.d/shop.conf'), '[Definition]\nfailregex = ^refused: <HOST>$\n');
  // As Gitea's documentation gives it.
  writeFileSync(
    join(directory, 'filter.d/gitea.conf'),
    '[Definition]\nfailregex = .*(Failed authentication attempt|invalid credentials).* from <HOST>\n',
  );
  return directory;
}

test('every filter of the installed release that has one of ours is known by its content', (t) => {
  const reason = whyNoReference();
  if (reason !== '') return t.skip(reason);
  const { tally, filters } = importFail2ban(FAIL2BAN_DIRECTORY, { all: true });
  t.diagnostic(`${tally.replaced.length} of ${tally.filters} filters by ours`);
  const unknown = filters
    .map(({ source }) => source.replace(/^filter\.d\/|\.conf$/g, ''))
    .filter((stem) =>
      existsSync(join(import.meta.dirname, '../../../etc/filters', `${counterpartOf(stem)}.toml`)),
    );
  assert.deepEqual(unknown, [], 'filters that are ours too, and are made anew all the same');
});

test('of nine jails that are on nine are on when the daemon reads what the import has written', async (t) => {
  const reason = whyNoReference();
  if (reason !== '') return t.skip(reason);
  const to = join(makeDirectory(t), 'imported');
  const { status, error } = await run(['import', 'fail2ban', makeConfiguration(t), '--write', to]);
  assert.equal(status, 0, error);
  assert.deepEqual(readdirSync(join(to, 'filters')).sort(), ['gitea-imported.toml', 'shop.toml']);
  const configPath = join(to, 'bailiff.toml');
  const loaded = readConfig({ configPath, stateDirectory: to, socketPath: null, dryRun: true });
  assert.deepEqual(loaded.problems, []);
  const jails = loaded.plan?.jails.filter(({ policy }) => policy.name !== MANUAL_JAIL) ?? [];
  assert.deepEqual(
    jails.map(({ policy }) => policy.name).sort(),
    [...ENABLED, 'gitea', 'shop'].sort(),
    'the jails that are on',
  );
  assert.deepEqual([...new Set(jails.map(({ policy }) => policy.maxRetry))], [4]);
  assert.deepEqual(loaded.plan?.refusedJails, []);
  assert.deepEqual(
    loaded.plan?.senders.configured.map(({ name, jails: fed }) => [name, fed]),
    [['log-files', ['apache-auth', 'nginx-http-auth', 'nginx-botsearch', 'shop', 'gitea']]],
    'what the jails of log files hear',
  );
  checkWithRsyslog(t, join(to, 'rsyslog.d/60-bailiff-files.conf'));
});

test('a filter that was changed is made anew under a name of its own, and is told what ours finds besides', (t) => {
  const reason = whyNoReference();
  if (reason !== '') return t.skip(reason);
  const directory = makeConfiguration(t);
  appendFileSync(
    join(directory, 'filter.d/nginx-http-auth.local'),
    '[Definition]\nfailregex = ^ \\[error\\] \\d+#\\d+: \\*\\d+ user "[^"]+": password mismatch, client: <HOST>,\n',
  );
  const { jails, filters, remarks, tally } = importFail2ban(directory);
  assert.ok(!tally.replaced.includes('nginx-http-auth'));
  assert.ok(filters.some(({ name }) => name === 'nginx-http-auth-imported'));
  const jail = jails.find(({ name }) => name === 'nginx-http-auth');
  assert.deepEqual([jail?.filter, jail?.isOurs], ['nginx-http-auth-imported', false]);
  const [remark] = remarks.filter(
    ({ subject, message }) => subject.endsWith('nginx-http-auth-imported') && message.startsWith('finds'),
  );
  assert.match(
    remark?.message ?? '',
    /^finds less than bailiff's own filter nginx-http-auth: \d+ of its \d+ sample lines are missed, such as /,
  );
});

/** Asks rsyslogd itself, where there is one, whether it takes the file. */
function checkWithRsyslog(t: TestContext, path: string): void {
  if (!existsSync(RSYSLOGD)) {
    t.diagnostic(`${RSYSLOGD} is not installed: ${path} was not checked`);
    return;
  }
  const directory = makeDirectory(t);
  const main = join(directory, 'rsyslog.conf');
  writeFileSync(main, `global(workDirectory="${directory}")\ninclude(file="${path}")\n`);
  const { status, stderr } = spawnSync(RSYSLOGD, ['-N1', '-f', main], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}
