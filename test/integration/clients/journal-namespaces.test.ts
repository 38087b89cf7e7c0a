/** Services that log to a namespace of the journal, whose files a journald of its own writes: they are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBed } from '../../bed/namespace.ts';
import { findJournald, Journald } from '../../bed/services/journald.ts';
import { waitFor } from '../../bed/waiting.ts';
import {
  componentOf,
  failLogins,
  SOON_MILLISECONDS,
  sceneMissing,
  startDaemon,
  waitForBan,
  warningOf,
} from '../scene.ts';

test('a namespace that comes is told with its name, and the journal itself is read on', {
  skip: sceneMissing,
}, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const daemon = await startDaemon(bed);
  assert.equal((await componentOf(daemon, 'journal')).health, 'up');
  await bed.run(['mkdir', '-p', '/run/systemd/journald@web.conf.d', '/run/systemd/journal.web']);
  await bed.run(['tee', '/run/systemd/journald@web.conf.d/bed.conf'], {
    input: '[Journal]\nStorage=persistent\n',
  });
  const namespaced = await bed.start([findJournald() ?? '', 'web'], {
    environment: { SYSTEMD_LOG_TARGET: 'console' },
  });
  const { text, severity } = await waitFor('the namespace', SOON_MILLISECONDS, () =>
    warningOf(daemon, 'journal-namespaces'),
  );
  assert.deepEqual([text, severity], ['the journal has namespaces that are not read: web', 'hint']);
  assert.equal((await componentOf(daemon, 'journal')).health, 'up');
  await failLogins(journald, '203.0.113.1', 3);
  await waitForBan(daemon, '203.0.113.1');
  namespaced.kill('SIGTERM');
  await namespaced.ended;
});
