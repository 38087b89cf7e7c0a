/** A full disk under the state: bans go on, the status says it, and what was not stored is stored later. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBed } from '../bed/namespace.ts';
import { Journald } from '../bed/services/journald.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../bed/waiting.ts';
import {
  bansOf,
  componentOf,
  failLogins,
  jailOf,
  keysOf,
  SOON_MILLISECONDS,
  sceneMissing,
  startDaemon,
  waitForBan,
  waitForFailures,
  warningOf,
} from './scene.ts';

test('with a full disk bans still reach the kernel, and nothing is missing once there is room', {
  skip: sceneMissing,
}, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const state = `${bed.directory}/bailiff/state`;
  await bed.run(['sh', '-c', 'mkdir -p "$1" && mount -t tmpfs -o size=1m tmpfs "$1"', 'sh', state]);
  const daemon = await startDaemon(bed);
  await failLogins(journald, '203.0.113.1', 3);
  await waitForBan(daemon, '203.0.113.1');

  await bed.run(['dd', 'if=/dev/zero', `of=${state}/filler`, 'bs=4k'], { anyStatus: true });
  // A commit may still find room in what the database has already: so there are several.
  let further = 0;
  await waitFor('the state to find no room', SOON_MILLISECONDS, async () => {
    await failLogins(journald, `203.0.113.${10 + further++}`, 3);
    await waitForFailures(daemon, 3 + 3 * further);
    return (await componentOf(daemon, 'state')).health === 'degraded' ? true : null;
  });
  await failLogins(journald, '203.0.113.2', 3);
  await waitForBan(daemon, '203.0.113.2');
  await failLogins(journald, '203.0.113.3', 2);
  const written = 3 + 3 * further + 3 + 2;
  await waitForFailures(daemon, written);
  const { text, action } = await warningOf(daemon, 'state-not-written');
  assert.match(text, /cannot write the state/);
  assert.match(action, /free space there: df -h /);
  assert.match((await daemon.command('status')).stdout, /^state +degraded$/m);

  await bed.run(['rm', `${state}/filler`]);
  await waitFor('the state to be stored', PATIENCE_MILLISECONDS, async () =>
    (await componentOf(daemon, 'state')).health === 'up' ? true : null,
  );
  const bans = await bansOf(daemon);
  const keys = await keysOf(bed, 'ban4');
  await daemon.kill9();
  await daemon.restart();
  const jail = await jailOf(daemon);
  assert.deepEqual([jail.totalFailures, jail.currentFailures, jail.currentBans], [written, 2, 2 + further]);
  assert.deepEqual(
    jail.bans.map(({ offender, since, until, cause }) => ({ offender, since, until, cause })),
    bans.map(({ offender, since, until, cause }) => ({ offender, since, until, cause })),
  );
  assert.deepEqual(await keysOf(bed, 'ban4'), keys);
});
