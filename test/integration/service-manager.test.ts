/** Manners towards systemd: notifications, the watchdog, and the log as structured journal entries. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openBed } from '../bed/namespace.ts';
import { Daemon } from '../bed/services/daemon.ts';
import { Journald } from '../bed/services/journald.ts';
import { waitFor } from '../bed/waiting.ts';
import { CONFIGURATION, failLogins, SOON_MILLISECONDS, sceneMissing, waitForBan } from './scene.ts';

const skip = sceneMissing;
const LISTENER = fileURLToPath(new URL('../bed/services/notify-listener.ts', import.meta.url));

test('the service manager is told of readiness, reloads, the end and every breath', { skip }, async () => {
  await using bed = await openBed();
  await Journald.start(bed);
  const path = `${bed.directory}/notify.sock`;
  const listener = await bed.start([process.execPath, LISTENER, path]);
  await listener.waitForLine(/^listening$/, SOON_MILLISECONDS);
  const messages = () => listener.output.split('\n').slice(1, -1);

  const daemon = await Daemon.start(bed, {
    configuration: CONFIGURATION,
    environment: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '600000' },
  });
  assert.match(await listener.waitForLine(/READY=1/, SOON_MILLISECONDS), /^READY=1 STATUS=\S/);
  await waitFor('the watchdog to be fed three times', SOON_MILLISECONDS, () =>
    messages().filter((message) => message === 'WATCHDOG=1').length >= 3 ? true : null,
  );

  const seen = messages().length;
  assert.equal((await daemon.command('reload')).status, 0);
  const reloaded = () =>
    messages()
      .slice(seen)
      .filter((message) => !message.startsWith('WATCHDOG') && !message.startsWith('STATUS'));
  await waitFor('the end of the reload', SOON_MILLISECONDS, () => (reloaded().length >= 2 ? true : null));
  assert.match(reloaded()[0] ?? '', /^RELOADING=1 MONOTONIC_USEC=\d+ STATUS=/);
  assert.match(reloaded()[1] ?? '', /^READY=1 STATUS=/);

  await daemon.stop();
  await listener.waitForLine(/^STOPPING=1 STATUS=.*bans in the kernel stay/, SOON_MILLISECONDS);
  listener.kill('SIGKILL');
  await listener.ended;
});

test('a service manager that is gone does not matter', { skip }, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const daemon = await Daemon.start(bed, {
    configuration: CONFIGURATION,
    environment: { NOTIFY_SOCKET: `${bed.directory}/nobody`, WATCHDOG_USEC: '600000' },
  });
  await failLogins(journald, '203.0.113.1', 3);
  await waitForBan(daemon, '203.0.113.1');
  assert.equal((await daemon.stop()).status, 0);
});

/** Connects both outputs to the journal and says so in the environment, as systemd does for a service. */
const INTO_JOURNAL = `
JOURNAL_STREAM=$(stat --dereference --format=%d:%i /proc/self/fd/2) && export JOURNAL_STREAM && exec "$@"`;

test('with the journal as its output a ban is found there by its address', { skip }, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const daemon = await Daemon.start(bed, {
    configuration: CONFIGURATION,
    wrapper: ['systemd-cat', '--identifier=bailiff-output', 'sh', '-c', INTO_JOURNAL, 'sh'],
  });
  await failLogins(journald, '203.0.113.1', 3);
  await waitForBan(daemon, '203.0.113.1');
  const ban = await waitFor('the entry of the ban', SOON_MILLISECONDS, async () => {
    const entries = await journald.entries('BAILIFF_ADDRESS=203.0.113.1');
    return entries.find(({ MESSAGE }) => MESSAGE?.startsWith('banned')) ?? null;
  });
  assert.equal(ban.MESSAGE, 'banned 203.0.113.1 in sshd for 10m (3 failures)');
  assert.deepEqual(
    [ban.SYSLOG_IDENTIFIER, ban.PRIORITY, ban.BAILIFF_JAIL, ban.BAILIFF_CAUSE, ban._UID],
    ['bailiff', '5', 'sshd', 'offence', '0'],
  );
  assert.match(ban.MESSAGE_ID ?? '', /^[0-9a-f]{32}$/);
  assert.ok(Date.parse(ban.BAILIFF_UNTIL ?? '') > Date.now());
  const byKind = await journald.entries(`MESSAGE_ID=${ban.MESSAGE_ID}`);
  assert.equal(byKind.length, 1);
  const printed = await journald.entries('SYSLOG_IDENTIFIER=bailiff-output');
  assert.deepEqual(
    printed.map(({ MESSAGE }) => MESSAGE),
    [],
    'nothing is told twice',
  );
});
