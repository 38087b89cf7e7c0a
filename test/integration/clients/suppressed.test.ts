/** What journald and rsyslog drop for coming too fast is counted and told, by the real ones. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBed } from '../../bed/namespace.ts';
import { requirements } from '../../bed/requirements.ts';
import { Journald } from '../../bed/services/journald.ts';
import { waitFor } from '../../bed/waiting.ts';
import {
  CONFIGURATION,
  failedLogin,
  SOON_MILLISECONDS,
  sceneMissing,
  sshdEntry,
  startDaemon,
  warningOf,
} from '../scene.ts';

const BURST = 5;

test("what journald has suppressed of a unit is told with journald's own count", {
  skip: sceneMissing || (requirements('units') ?? false),
}, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed, {
    settings: ['RateLimitIntervalSec=1s', `RateLimitBurst=${BURST}`],
  });
  const daemon = await startDaemon(bed);
  const unit = { unit: 'ssh.service' };
  const { text, action } = await waitFor('the warning', SOON_MILLISECONDS, async () => {
    // The entry that comes after the interval has journald say what it left out.
    for (let entry = 0; entry < 4 * BURST; entry++)
      await journald.write(sshdEntry(failedLogin('192.0.2.1', `user${entry}`)), unit);
    return warningOf(daemon, 'messages-suppressed');
  });
  assert.match(text, /^journald has dropped \d+ messages? of ssh\.service for coming too fast$/);
  assert.match(action, /systemctl edit ssh\.service$/);
  assert.match(daemon.output, /journald has dropped \d+ messages? of ssh\.service/);
});

test('whoever writes such an entry himself tells nothing', { skip: sceneMissing }, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const daemon = await startDaemon(bed);
  await journald.write({
    SYSLOG_IDENTIFIER: 'systemd-journald',
    MESSAGE_ID: 'a596d6fe7bfa4994828e72309e95d61e',
    N_DROPPED: '7',
    OBJECT_SYSTEMD_UNIT: 'ssh.service',
    MESSAGE: 'Suppressed 7 messages from ssh.service',
  });
  await journald.write({
    SYSLOG_IDENTIFIER: 'rsyslogd-2177',
    MESSAGE: 'imuxsock: 90 messages lost due to rate-limiting (10 allowed within 2 seconds)',
  });
  await journald.write(sshdEntry(failedLogin('192.0.2.1')));
  await daemon.waitForLine(/failure 1\/3 of 192\.0\.2\.1 in sshd/, SOON_MILLISECONDS);
  assert.doesNotMatch(daemon.output, /has dropped/);
});

test('what rsyslogd has dropped at its input is told, with the host that it forwards from', {
  skip: sceneMissing || (requirements('rsyslog') ?? false),
}, async () => {
  await using bed = await openBed();
  const daemon = await startDaemon(bed, {
    configuration: `${CONFIGURATION}\n[syslog]\ntcp = ["127.0.0.1:5514"]\n`,
  });
  const path = join(bed.directory, 'rsyslog.conf');
  writeFileSync(
    path,
    `global(workDirectory="${bed.directory}" processInternalMessages="on")
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="5515" RateLimit.Interval="1" RateLimit.Burst="${BURST}")
*.* action(type="omfwd" target="127.0.0.1" port="5514" protocol="tcp")
`,
  );
  const rsyslogd = await bed.start(['rsyslogd', '-n', '-f', path, '-i', join(bed.directory, 'rsyslog.pid')]);
  const { text } = await waitFor('the warning', SOON_MILLISECONDS, async () => {
    for (let message = 0; message < 4 * BURST; message++)
      await bed.run([
        'logger',
        '--server',
        '127.0.0.1',
        '--port',
        '5515',
        '--udp',
        '--tag',
        'x',
        `${message}`,
      ]);
    return warningOf(daemon, 'messages-suppressed');
  });
  assert.match(text, /^rsyslog has dropped \d+ messages? of 127\.0\.0\.1 imudp for coming too fast$/);
  rsyslogd.kill('SIGTERM');
});
